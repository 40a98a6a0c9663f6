using System.Globalization;
using Google.Rpc;
using Ingest.Protocol;

namespace Ingest.Client;

/// <summary>What an Ingest server says beside the status of a call that failed.</summary>
public static class RpcExceptionExtensions
{

    /// <summary>
    /// How many rows of the stream the server has made durable although the call failed; null when it does not say,
    /// as when the connection broke: then any part of what was sent may have landed.
    /// </summary>
    public static long? GetAcceptedCount(this RpcException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return long.TryParse(exception.Trailers.GetValue(IngestTrailers.AcceptedCount), NumberStyles.None,
            CultureInfo.InvariantCulture, out var count) ? count : null;
    }

    /// <summary>
    /// How long the server asks to wait before another try (<c>google.rpc.RetryInfo</c>, else
    /// <c>grpc-retry-pushback-ms</c>); null when it does not say, or says that another try cannot succeed.
    /// </summary>
    public static TimeSpan? GetRetryDelay(this RpcException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        var pushback = exception.Trailers.GetValue(GrpcHeaders.RetryPushback);
        if (pushback is not null)
        {
            // What is negative or no number forbids a retry: gRFC A6, "Pushback".
            return int.TryParse(pushback, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
                ? TimeSpan.FromMilliseconds(milliseconds)
                : null;
        }
        return exception.FindDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan();
    }
}
