using System.Net.Security;

namespace Ingest.Client;

/// <summary>How an <see cref="IngestClient"/> reaches its server.</summary>
public sealed record IngestClientOptions
{
    /// <summary>
    /// The server's gRPC address: <c>http://</c> for HTTP/2 in clear, <c>https://</c> for TLS. Default
    /// <c>http://127.0.0.1:7400</c>.
    /// </summary>
    public Uri Address { get; init; } = new("http://127.0.0.1:7400");

    /// <summary>The API key, sent as <c>authorization: Bearer</c>. Default none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>How long to wait for a connection. Default 10 seconds.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// After how much silence on a connection with open calls the server is pinged; without an answer within the same
    /// time the calls end with UNAVAILABLE. Default 20 seconds.
    /// </summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// The largest answer that is taken, in bytes, after decompression; a call with a larger one ends with
    /// RESOURCE_EXHAUSTED. Default 16 MiB.
    /// </summary>
    public int MaxResponseMessageBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>TLS settings for <c>https://</c>: trust, client certificates. Default: those of the system.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>The clock of timers and deadlines. Default the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
