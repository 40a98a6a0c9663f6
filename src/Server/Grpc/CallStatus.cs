using Ingest.Protocol;

namespace Ingest.Server.Grpc;

/// <summary>What a call ends with.</summary>
/// <param name="Code">The trailer <c>grpc-status</c>.</param>
/// <param name="Detail">The trailer <c>grpc-message</c>; empty: none.</param>
/// <param name="Details">The trailer <c>grpc-status-details-bin</c>.</param>
/// <param name="Trailers">Trailers that come with the status, beside those of the call context.</param>
internal readonly record struct CallStatus(
    StatusCode Code,
    string Detail,
    Google.Rpc.Status? Details = null,
    Metadata? Trailers = null)
{
    public static CallStatus Ok => new(StatusCode.Ok, "");

    public static CallStatus From(RpcException error) =>
        new(error.StatusCode, error.Detail, error.Details, error.Trailers);

    /// <summary>The exception with which a service ends its call so.</summary>
    public RpcException ToException() => new(Code, Detail) { Details = Details, Trailers = Trailers ?? [] };
}
