namespace Ingest.Server.Realtime;

/// <summary>Settings of server-sent events.</summary>
public sealed record SseOptions
{
    /// <summary>Whether streams are served; default true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// Silence after which a comment is sent, so that proxies and clients know that the stream lives; default 15 s.
    /// </summary>
    public TimeSpan HeartbeatPeriod { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>What clients are told to wait before they connect again; default 2 s.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>What is wrong with the settings, one sentence each that begins with the setting's name.</summary>
    public IEnumerable<string> Validate()
    {
        if (HeartbeatPeriod <= TimeSpan.Zero || HeartbeatPeriod > TimeSpan.FromDays(1))
        {
            yield return $"{nameof(HeartbeatPeriod)} is {HeartbeatPeriod}; a time up to a day is expected.";
        }

        if (RetryDelay < TimeSpan.Zero || RetryDelay > TimeSpan.FromDays(1))
        {
            yield return $"{nameof(RetryDelay)} is {RetryDelay}; a time up to a day is expected.";
        }
    }
}
