namespace Ingest.Server.Realtime;

/// <summary>
/// Settings of what browsers and scripts follow topics with: WebSocket, server-sent events and status.
/// </summary>
public sealed record RealtimeOptions
{
    /// <summary>Whether there is anything of it; default true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// Origins whose pages may connect and read, beside the server's own: <c>https://maps.example.com</c>, <c>*</c> for
    /// all; default none. What sends no <c>Origin</c> is no page and is not asked.
    /// </summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Connections at a time, both kinds together; default 10,000. More are refused with 503.</summary>
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>
    /// How long a client may take nothing of what it is sent before its connection is cut; default 30 s.
    /// </summary>
    public TimeSpan UnreadTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long connections go on after they were told that the server is about to stop; default 1 s. Updates of that
    /// time still come.
    /// </summary>
    public TimeSpan DrainDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>WebSocket.</summary>
    public WebSocketOptions WebSocket { get; init; } = new();

    /// <summary>Server-sent events.</summary>
    public SseOptions Sse { get; init; } = new();

    /// <summary>What is wrong with the settings, one sentence each that begins with the setting's name.</summary>
    /// <param name="drainGrace">Time that calls have to end when the server stops.</param>
    public IEnumerable<string> Validate(TimeSpan drainGrace)
    {
        foreach (string origin in AllowedOrigins)
        {
            if (origin is not "*" && !IsOrigin(origin))
            {
                yield return $"{nameof(AllowedOrigins)} has '{origin}'; an origin such as https://maps.example.com, "
                    + "without a path, or * is expected.";
            }
        }

        if (MaxConnections < 1)
        {
            yield return $"{nameof(MaxConnections)} is {MaxConnections}; at least 1 is valid.";
        }

        if (UnreadTimeout <= TimeSpan.Zero)
        {
            yield return $"{nameof(UnreadTimeout)} is {UnreadTimeout}; it has to be positive.";
        }

        if (DrainDelay < TimeSpan.Zero || DrainDelay > drainGrace)
        {
            yield return $"{nameof(DrainDelay)} is {DrainDelay}; 0 to Ingest:Grpc:DrainGrace, {drainGrace}, is valid.";
        }

        foreach (string fault in WebSocket.Validate())
        {
            yield return $"{nameof(WebSocket)}:{fault}";
        }

        foreach (string fault in Sse.Validate())
        {
            yield return $"{nameof(Sse)}:{fault}";
        }
    }

    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri)
        && string.Equals(uri.GetLeftPart(UriPartial.Authority), text, StringComparison.OrdinalIgnoreCase);
}
