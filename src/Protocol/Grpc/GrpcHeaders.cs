namespace Ingest.Protocol;

/// <summary>Names of the headers and trailers that gRPC itself defines, and its content types.</summary>
public static class GrpcHeaders
{
    /// <summary>Content type of gRPC over HTTP/2; <c>+proto</c> may follow.</summary>
    public const string ContentType = "application/grpc";

    /// <summary>Content type of binary gRPC-Web; <c>+proto</c> may follow.</summary>
    public const string WebContentType = "application/grpc-web";

    /// <summary>Content type of gRPC-Web in base64; <c>+proto</c> may follow.</summary>
    public const string WebTextContentType = "application/grpc-web-text";

    /// <summary>The status, decimal.</summary>
    public const string Status = "grpc-status";

    /// <summary>The status' text, percent-encoded.</summary>
    public const string Message = "grpc-message";

    /// <summary>The rich status: google.rpc.Status.</summary>
    public const string StatusDetails = "grpc-status-details-bin";

    /// <summary>Time the client is ready to wait.</summary>
    public const string Timeout = "grpc-timeout";

    /// <summary>Encoding of compressed messages.</summary>
    public const string Encoding = "grpc-encoding";

    /// <summary>Encodings that the sender of the header can read.</summary>
    public const string AcceptEncoding = "grpc-accept-encoding";

    /// <summary>Milliseconds to wait before a retry; -1 forbids it.</summary>
    public const string RetryPushback = "grpc-retry-pushback-ms";

    /// <summary>
    /// Whether a header belongs to the transport: it is not shown to services and services cannot set it.
    /// </summary>
    /// <remarks><see cref="RetryPushback"/> is a service's own to set.</remarks>
    public static bool IsReserved(string name) => name.Length > 0 && (name[0] == ':' || IsNamed(name));

    private static bool IsNamed(string name) => name.Length switch
    {
        2 => Is(name, "te"),
        4 => Is(name, "host"),
        7 => Is(name, "upgrade"),
        10 => Is(name, "connection") || Is(name, "keep-alive"),
        11 => Is(name, Status),
        12 => Is(name, "content-type") || Is(name, Message) || Is(name, Timeout),
        13 => Is(name, Encoding),
        14 => Is(name, "content-length"),
        16 => Is(name, "proxy-connection"),
        17 => Is(name, "transfer-encoding"),
        20 => Is(name, AcceptEncoding),
        23 => Is(name, StatusDetails),
        _ => false,
    };

    private static bool Is(string name, string known) => name.Equals(known, StringComparison.OrdinalIgnoreCase);
}
