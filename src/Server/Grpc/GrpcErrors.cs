using System.Diagnostics.CodeAnalysis;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Ingest.Protocol;

namespace Ingest.Server.Grpc;

/// <summary>The errors that the transport itself ends calls with, each with its status and text in one place.</summary>
internal static class GrpcErrors
{
    /// <summary>How long clients are asked to wait where nothing else is known.</summary>
    public static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    [DoesNotReturn]
    public static void ThrowTooLarge(uint messageBytes, int maxBytes) => throw NeverFits(
        $"The message has {messageBytes} bytes; the limit is {maxBytes} bytes.");

    [DoesNotReturn]
    public static void ThrowInflatesTooLarge(int compressedBytes, int maxBytes) => throw NeverFits(
        $"The message of {compressedBytes} compressed bytes has more than {maxBytes} bytes when decompressed; "
        + $"the limit is {maxBytes} bytes.");

    [DoesNotReturn]
    public static void ThrowReservedFlags(byte flags) => throw new RpcException(StatusCode.Internal,
        $"The message frame has flags 0x{flags:x2}; only 0x00 and 0x01 are defined.");

    [DoesNotReturn]
    public static void ThrowCompressedWithoutEncoding() => throw new RpcException(StatusCode.Internal,
        "The message is flagged as compressed, but the call has no grpc-encoding.");

    [DoesNotReturn]
    public static void ThrowMalformedGzip() => throw new RpcException(StatusCode.Internal,
        "The message cannot be decompressed: it is not a whole gzip stream.");

    [DoesNotReturn]
    public static void ThrowTruncated() => throw new RpcException(StatusCode.Internal,
        "The request ended within a message frame.");

    [DoesNotReturn]
    public static void ThrowClientGone(Exception? cause, CancellationToken token) =>
        throw new OperationCanceledException("The client ended the call.", cause, token);

    public static RpcException Undecodable(Exception cause) => new(StatusCode.InvalidArgument,
        "The message is not valid protobuf of the method's request type.", cause);

    public static RpcException RequestCount(bool none) => new(StatusCode.Unimplemented, none
        ? "The method takes exactly one request; the call had none."
        : "The method takes exactly one request; the call had more.");

    public static RpcException MalformedMetadata(string key) => new(StatusCode.Internal,
        $"The metadata value of '{Shorten(key)}' is not base64.");

    public static CallStatus MalformedTimeout(string value) => new(StatusCode.Internal,
        $"grpc-timeout '{Shorten(value)}' is malformed: 1 to 8 digits and one of H M S m u n are expected.");

    public static CallStatus UnknownEncoding(string encoding) => new(StatusCode.Unimplemented,
        $"grpc-encoding '{Shorten(encoding)}' is not supported; {MessageCompression.Accepted} are.");

    public static CallStatus UnknownMethod(string path, bool serviceIsKnown) => new(StatusCode.Unimplemented,
        serviceIsKnown
            ? $"The method {Shorten(path)} is not implemented."
            : $"The service of {Shorten(path)} is not known here.");

    public static CallStatus DeadlineExceeded() => new(StatusCode.DeadlineExceeded, "The deadline has passed.");

    public static CallStatus Cancelled() => new(StatusCode.Cancelled, "The call was cancelled.");

    /// <summary>An exception of a service; its text stays in the server's log.</summary>
    public static CallStatus Unhandled() => new(StatusCode.Unknown, "The service failed; see the server's log.");

    public static RpcException ShuttingDown() => TryLater(StatusCode.Unavailable, "The server is shutting down.");

    /// <summary>The message has come in part, and the server holds as much of such as it may.</summary>
    [DoesNotReturn]
    public static void ThrowNoMemory() => throw TryLater(
        StatusCode.ResourceExhausted, "The server is short of memory for large messages.");

    /// <summary>A fault that passes: the client is told when to try again, in the two forms that clients look for.</summary>
    public static RpcException TryLater(StatusCode code, string text, TimeSpan? delay = null)
    {
        TimeSpan wait = delay ?? RetryDelay;
        RpcException error = RpcException.WithDetails(
            code, text, new RetryInfo { RetryDelay = Duration.FromTimeSpan(wait) });
        error.Trailers.Add(GrpcHeaders.RetryPushback, $"{wait.TotalMilliseconds:0}");
        return error;
    }

    /// <summary>A client's own text as an error repeats it: one name, not what it sends instead of one.</summary>
    public static string Shorten(string text)
    {
        const int max = 200;
        if (text.Length <= max)
        {
            return text;
        }

        // Not between the halves of a character beyond 16 bits.
        return string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[max - 1]) ? max - 1 : max), "...");
    }

    private static RpcException NeverFits(string detail)
    {
        Metadata trailers = [];
        trailers.Add(GrpcHeaders.RetryPushback, "-1");
        return new RpcException(StatusCode.ResourceExhausted, detail) { Trailers = trailers };
    }
}
