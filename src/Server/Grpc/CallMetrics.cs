namespace Ingest.Server.Grpc;

/// <summary>The counters of all methods.</summary>
/// <remarks>Safe for use by several threads at once.</remarks>
internal sealed class CallMetrics
{
    private readonly Lock _gate = new();
    private volatile MethodMetrics[] _methods;

    public CallMetrics()
    {
        Unbound = new MethodMetrics("unbound");
        _methods = [Unbound];
    }

    /// <summary>
    /// Calls of methods that nobody has bound, all in one: their names are the clients' choice, and without end.
    /// </summary>
    public MethodMetrics Unbound { get; }

    /// <summary>All methods.</summary>
    public IReadOnlyList<MethodMetrics> Methods => _methods;

    /// <summary>Adds a method.</summary>
    public void Add(MethodMetrics method)
    {
        lock (_gate)
        {
            _methods = [.. _methods, method];
        }
    }
}
