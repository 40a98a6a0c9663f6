namespace Ingest.Server.Grpc;

/// <summary>A bound method.</summary>
/// <param name="Path"><c>/package.Service/Method</c>.</param>
/// <param name="Invoke">Runs the service's method for a call.</param>
/// <param name="ServedWhileDraining">Whether it takes calls while the server drains: health, reflection.</param>
internal sealed record GrpcMethod(string Path, Func<CallContext, Task> Invoke, bool ServedWhileDraining)
{
    /// <summary>What happened to its calls.</summary>
    public MethodMetrics Metrics { get; } = new(Path[1..]);
}
