namespace Ingest.Server.Realtime;

/// <summary>Settings of WebSocket.</summary>
public sealed record WebSocketOptions
{
    /// <summary>The path that is always there.</summary>
    public const string DefaultPath = "/ws";

    /// <summary>Close code for "going away", which every client understands.</summary>
    public const int GoingAway = 1001;

    /// <summary>Close code for "service restart"; clients of .NET take it for an error.</summary>
    public const int ServiceRestart = 1012;

    /// <summary>Whether sockets are taken; default true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Paths beside <c>/ws</c>, with topics that a connection there follows at once; default none.</summary>
    public IReadOnlyList<WebSocketPath> Paths { get; init; } = [];

    /// <summary>
    /// Largest message of a client, after decompression; default 64 KiB. A larger one is answered with an error.
    /// </summary>
    public int MaxMessageBytes { get; init; } = 64 * 1024;

    /// <summary>
    /// Messages a second that a connection may send, and as many at once after a quiet second; default 50. More are
    /// answered with an error.
    /// </summary>
    public int MaxMessagesPerSecond { get; init; } = 50;

    /// <summary>Subscriptions at a time on one connection; default 32.</summary>
    public int MaxSubscriptions { get; init; } = 32;

    /// <summary>Requests to agents at a time on one connection; default 4.</summary>
    public int MaxAgentRequests { get; init; } = 4;

    /// <summary>How long an agent has to answer a request; default 30 s.</summary>
    public TimeSpan AgentTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Whether messages are compressed for clients that offer permessage-deflate, as browsers do; default true. An
    /// update is compressed once for all of them.
    /// </summary>
    public bool Compression { get; init; } = true;

    /// <summary>Silence after which a client is pinged; default 20 s.</summary>
    public TimeSpan PingPeriod { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a client may then be silent before its connection is cut; default 60 s.</summary>
    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Close code when the server stops; default 1001. 1012 says that it comes back, but some clients do not know it.
    /// </summary>
    public int DrainCloseCode { get; init; } = GoingAway;

    /// <summary>
    /// Whether a client may send <c>broadcast</c>, which every connection gets; default false: then only the server
    /// does.
    /// </summary>
    public bool ClientBroadcast { get; init; }

    /// <summary>What is wrong with the settings, one sentence each that begins with the setting's name.</summary>
    public IEnumerable<string> Validate()
    {
        var paths = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { DefaultPath };
        for (int i = 0; i < Paths.Count; i++)
        {
            foreach (string fault in Paths[i].Validate())
            {
                yield return $"{nameof(Paths)}:{i}:{fault}";
            }

            if (!paths.Add(Paths[i].Path))
            {
                yield return $"{nameof(Paths)}:{i}:Path is '{Paths[i].Path}', which is there already.";
            }
        }

        if (MaxMessageBytes is < 256 or > 16 * 1024 * 1024)
        {
            yield return $"{nameof(MaxMessageBytes)} is {MaxMessageBytes}; 256 to {16 * 1024 * 1024} is valid.";
        }

        foreach ((string key, int value) in new[]
        {
            (nameof(MaxMessagesPerSecond), MaxMessagesPerSecond), (nameof(MaxSubscriptions), MaxSubscriptions),
            (nameof(MaxAgentRequests), MaxAgentRequests),
        })
        {
            if (value < 1)
            {
                yield return $"{key} is {value}; at least 1 is valid.";
            }
        }

        foreach ((string key, TimeSpan value) in new[]
        {
            (nameof(AgentTimeout), AgentTimeout), (nameof(PingPeriod), PingPeriod), (nameof(PingTimeout), PingTimeout),
        })
        {
            if (value <= TimeSpan.Zero || value > TimeSpan.FromDays(1))
            {
                yield return $"{key} is {value}; a time up to a day is expected.";
            }
        }

        if (DrainCloseCode is not (GoingAway or ServiceRestart))
        {
            yield return $"{nameof(DrainCloseCode)} is {DrainCloseCode}; {GoingAway} or {ServiceRestart} is valid.";
        }
    }
}
