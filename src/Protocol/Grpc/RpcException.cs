using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Ingest.Protocol;

/// <summary>
/// Ends a call with a status. A service throws it and the client gets code, detail, details and trailers as they are;
/// a client's call throws it with what the server sent.
/// </summary>
public sealed class RpcException : Exception
{
    /// <summary>Makes an exception with a status and nothing else.</summary>
    /// <param name="statusCode">The status; <see cref="StatusCode.Ok"/> is refused.</param>
    /// <param name="detail">What the other side may read: no internals.</param>
    /// <param name="innerException">The cause, for this side's log; it is never sent.</param>
    public RpcException(StatusCode statusCode, string detail, Exception? innerException = null)
        : base(detail, innerException)
    {
        ArgumentOutOfRangeException.ThrowIfEqual((int)statusCode, (int)StatusCode.Ok);
        StatusCode = statusCode;
        Detail = detail;
    }

    /// <summary>Makes an exception with a status, its details and trailers.</summary>
    /// <param name="status">The rich status; its code and message are those of the call.</param>
    /// <param name="trailers">More trailers of the call.</param>
    public RpcException(Google.Rpc.Status status, Metadata? trailers = null)
        : this((StatusCode)status.Code, status.Message)
    {
        Details = status;
        Trailers = trailers ?? [];
    }

    /// <summary>The status of the call; never <see cref="StatusCode.Ok"/>.</summary>
    public StatusCode StatusCode { get; }

    /// <summary>Text for developers; the trailer <c>grpc-message</c>.</summary>
    public string Detail { get; }

    /// <summary>The rich status, the trailer <c>grpc-status-details-bin</c>; null when there is none.</summary>
    public Google.Rpc.Status? Details { get; init; }

    /// <summary>Trailers of the call without the ones that the transport itself writes.</summary>
    public Metadata Trailers { get; init; } = [];

    /// <summary>Makes an exception whose rich status carries the given details, each packed as <c>Any</c>.</summary>
    public static RpcException WithDetails(StatusCode statusCode, string detail, params ReadOnlySpan<IMessage> details)
    {
        var status = new Google.Rpc.Status { Code = (int)statusCode, Message = detail };
        foreach (var message in details)
        {
            status.Details.Add(Any.Pack(message));
        }

        return new RpcException(status);
    }

    /// <summary>The first detail of type <typeparamref name="T"/>, or null when the status has none.</summary>
    public T? FindDetail<T>()
        where T : class, IMessage<T>, new()
    {
        if (Details is not null)
        {
            foreach (var any in Details.Details)
            {
                if (any.TryUnpack<T>(out var detail))
                {
                    return detail;
                }
            }
        }

        return null;
    }
}
