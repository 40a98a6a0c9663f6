namespace Ingest.Server.Services;

/// <summary>Settings of Subscribe, the subscriptions over gRPC.</summary>
public sealed record SubscribeOptions
{
    /// <summary>How long a subscription may be silent before it gets a heartbeat; default 15 s.</summary>
    public TimeSpan HeartbeatPeriod { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a subscriber may leave what it was sent unread before it is ended; default 30 s.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long subscriptions go on after they were told that the server is about to stop; default 1 s.
    /// </summary>
    public TimeSpan DrainDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Subscriptions at a time; default 20,000. More are refused.</summary>
    public int MaxSubscriptions { get; init; } = 20_000;

    /// <summary>
    /// Subscriptions at a time of one sender, an API key, else an address; default 5,000. More are refused.
    /// </summary>
    public int MaxSubscriptionsPerSender { get; init; } = 5_000;

    /// <summary>What is wrong with the settings, one sentence each that begins with the setting's name.</summary>
    public IEnumerable<string> Validate()
    {
        foreach ((string key, TimeSpan time) in new[]
            { (nameof(HeartbeatPeriod), HeartbeatPeriod), (nameof(StallTimeout), StallTimeout) })
        {
            if (time < TimeSpan.FromMilliseconds(100) || time > TimeSpan.FromDays(1))
            {
                yield return $"{key} is {time}; 0.1 s to 1 day is valid.";
            }
        }

        if (DrainDelay < TimeSpan.Zero)
        {
            yield return $"{nameof(DrainDelay)} is {DrainDelay}; it cannot be negative.";
        }

        if (MaxSubscriptions <= 0)
        {
            yield return $"{nameof(MaxSubscriptions)} is {MaxSubscriptions}; at least 1 is valid.";
        }

        if (MaxSubscriptionsPerSender <= 0)
        {
            yield return $"{nameof(MaxSubscriptionsPerSender)} is {MaxSubscriptionsPerSender}; at least 1 is valid.";
        }
    }
}
