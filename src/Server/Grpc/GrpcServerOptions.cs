namespace Ingest.Server.Grpc;

/// <summary>Settings of the gRPC transport.</summary>
public sealed record GrpcServerOptions
{
    /// <summary>
    /// Limit of one request message in bytes, before and after decompression. Default 16 MiB. A larger one ends its
    /// call RESOURCE_EXHAUSTED.
    /// </summary>
    public int MaxMessageBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>
    /// HTTP/2 window of a stream in bytes: what a client may have on its way to one call. Default 4 MiB; 1 to 4 MiB
    /// carry 25 to 50 % more on one stream than Kestrel's 768 KiB.
    /// </summary>
    public int StreamWindowBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// HTTP/2 window of a connection in bytes: what one client can make the server hold. Default 8 MiB. Times the
    /// number of connections it is part of the memory budget.
    /// </summary>
    public int ConnectionWindowBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>
    /// Calls at a time on one connection. Default 10,000; Kestrel's 100 makes the 101st call of a client wait without
    /// a sign.
    /// </summary>
    public int MaxCallsPerConnection { get; init; } = 10_000;

    /// <summary>Limit of the headers of a call in bytes, names and values. Default 32 KiB.</summary>
    public int MaxHeaderBytes { get; init; } = 32 * 1024;

    /// <summary>Limit of the headers of a call by number. Default 128.</summary>
    public int MaxHeaderCount { get; init; } = 128;

    /// <summary>A connection that was silent for this long is pinged. Default 30 s.</summary>
    public TimeSpan KeepAlivePingDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A ping that is not answered for this long closes the connection. Default 20 s.</summary>
    public TimeSpan KeepAlivePingTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long calls may go on when the server stops, before they end UNAVAILABLE. Default 10 s. The host's own
    /// shutdown timeout (30 s) must be longer.
    /// </summary>
    public TimeSpan DrainGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Origins, such as <c>https://maps.example.com</c>, whose pages may call over gRPC-Web; <c>*</c> is any. Default
    /// none: only pages of the server's own origin.
    /// </summary>
    public IReadOnlyList<string> WebAllowedOrigins { get; init; } = [];

    /// <summary>
    /// Whose HTTP/2 serves the gRPC port: <c>Own</c> or <c>Kestrel</c>. Default <c>Own</c>. Sockets of a port in clear
    /// go with it; TLS is .NET's in both.
    /// </summary>
    public Http2Kind Http2 { get; init; } = Http2Kind.Own;

    /// <summary>The certificate of the gRPC port. Default null: HTTP/2 in clear.</summary>
    public GrpcCertificate? Certificate { get; init; }

    /// <summary>What is wrong with the settings, one sentence each that begins with the setting's name.</summary>
    public IEnumerable<string> Validate()
    {
        const int minWindow = 65_535;
        if (MaxMessageBytes <= 0 || MaxMessageBytes > Array.MaxLength - 1024)
        {
            yield return $"{nameof(MaxMessageBytes)} is {MaxMessageBytes}; 1 to {Array.MaxLength - 1024} is valid.";
        }

        if (StreamWindowBytes < minWindow)
        {
            yield return $"{nameof(StreamWindowBytes)} is {StreamWindowBytes}; HTTP/2 asks for at least {minWindow}.";
        }

        if (ConnectionWindowBytes < StreamWindowBytes)
        {
            yield return $"{nameof(ConnectionWindowBytes)} is {ConnectionWindowBytes}, less than "
                + $"{nameof(StreamWindowBytes)}, {StreamWindowBytes}: one stream would hold up all others.";
        }

        if (MaxCallsPerConnection <= 0)
        {
            yield return $"{nameof(MaxCallsPerConnection)} is {MaxCallsPerConnection}; at least 1 is valid.";
        }

        if (MaxHeaderBytes < 4096)
        {
            yield return $"{nameof(MaxHeaderBytes)} is {MaxHeaderBytes}; at least 4096 is valid.";
        }

        if (MaxHeaderCount < 16)
        {
            yield return $"{nameof(MaxHeaderCount)} is {MaxHeaderCount}; at least 16 is valid.";
        }

        if (KeepAlivePingDelay < TimeSpan.FromSeconds(1))
        {
            yield return $"{nameof(KeepAlivePingDelay)} is {KeepAlivePingDelay}; at least 1 s is valid.";
        }

        if (KeepAlivePingTimeout < TimeSpan.FromSeconds(1))
        {
            yield return $"{nameof(KeepAlivePingTimeout)} is {KeepAlivePingTimeout}; at least 1 s is valid.";
        }

        if (DrainGrace < TimeSpan.Zero || DrainGrace > TimeSpan.FromDays(1))
        {
            yield return $"{nameof(DrainGrace)} is {DrainGrace}; 0 to 1 day is valid.";
        }
    }
}
