using System.Net.Http;
using Ingest.Protocol;

namespace Ingest.Client.Calls;

/// <summary>Says in gRPC's words what went wrong below gRPC.</summary>
internal static class TransportFault
{
    // RFC 9113, section 7.
    private const long RefusedStream = 0x7;
    private const long Cancel = 0x8;
    private const long EnhanceYourCalm = 0xb;
    private const long InadequateSecurity = 0xc;

    /// <summary>The status of a fault.</summary>
    /// <param name="exception">What HttpClient threw.</param>
    /// <param name="address">The server, for the message.</param>
    /// <param name="deadlinePassed">Whether the call's deadline has passed.</param>
    /// <param name="ended">Whether this side has ended the call.</param>
    public static RpcException ToRpcException(Exception exception, Uri address, bool deadlinePassed, bool ended)
    {
        var server = address.GetLeftPart(UriPartial.Authority);
        if (deadlinePassed)
        {
            return new RpcException(StatusCode.DeadlineExceeded, "The deadline passed.", exception);
        }
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case InvalidDataException:
                    return new RpcException(
                        StatusCode.Internal, "The server's response cannot be decompressed.", exception);
                case HttpProtocolException reset:
                    return new RpcException(
                        FromHttp2(reset.ErrorCode), $"{server} reset the call: {reset.Message}", exception);
                case HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError
                    or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError } connect:
                    return new RpcException(
                        StatusCode.Unavailable, $"Cannot connect to {server}: {Innermost(connect)}", exception);
            }
        }
        // When a connection breaks, HttpClient cancels the request's body and may throw what comes of it.
        return ended && exception is OperationCanceledException or ObjectDisposedException
            ? new RpcException(StatusCode.Cancelled, "The call was cancelled.", exception)
            : new RpcException(
                StatusCode.Unavailable, $"The connection to {server} broke: {Innermost(exception)}", exception);
    }

    /// <summary>The status of a reset, as gRPC's "HTTP2 Transport Mapping: Errors" has it.</summary>
    private static StatusCode FromHttp2(long code) => code switch
    {
        RefusedStream => StatusCode.Unavailable,
        Cancel => StatusCode.Cancelled,
        EnhanceYourCalm => StatusCode.ResourceExhausted,
        InadequateSecurity => StatusCode.PermissionDenied,
        _ => StatusCode.Internal,
    };

    private static string Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }
        return exception.Message;
    }
}
