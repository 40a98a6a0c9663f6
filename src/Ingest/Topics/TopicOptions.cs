namespace Ingest.Topics;

/// <summary>Settings of the topics: how much of each stays in memory, and when a subscriber counts as slow.</summary>
public sealed record TopicOptions
{
    /// <summary>Updates of a topic that are kept in memory; default 65,536.</summary>
    public int MaxCount { get; init; } = 65_536;

    /// <summary>Bytes of a topic's updates that are kept in memory; default 64 MiB.</summary>
    public long MaxBytes { get; init; } = 64L << 20;

    /// <summary>
    /// Age up to which updates are kept in memory; default 1 h. What the store does not have yet is kept longer.
    /// </summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Updates of a topic behind its head at which a subscriber that had caught up counts as slow; default 10,000.
    /// </summary>
    public int MaxLagMessages { get; init; } = 10_000;

    /// <summary>Topics that there can be; default 1,000.</summary>
    public int MaxTopics { get; init; } = 1000;

    /// <summary>
    /// Bytes of updates of one table that are taken to become durable; default 16 MiB. Over it agents wait for room
    /// before they emit more, and other publishers can be cancelled; over twice that updates are refused.
    /// </summary>
    public long MaxPendingBytes { get; init; } = 16L << 20;

    /// <summary>Named subscriptions whose places are kept; default 10,000. More are refused.</summary>
    public int MaxPlaces { get; init; } = 10_000;

    /// <summary>
    /// How long a subscriber that reads what memory no longer has waits for the store to have it, before a gap says so;
    /// default 10 s.
    /// </summary>
    public TimeSpan StoreWait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Everything that is wrong with the settings, a sentence each that begins with the key.</summary>
    public IEnumerable<string> Validate()
    {
        foreach ((string key, long value, long least, long most) in new (string, long, long, long)[]
        {
            (nameof(MaxCount), MaxCount, 1, 1 << 26),
            (nameof(MaxBytes), MaxBytes, 1024, 1L << 40),
            (nameof(MaxLagMessages), MaxLagMessages, 1, 1 << 26),
            (nameof(MaxTopics), MaxTopics, 8, 65_535),
            (nameof(MaxPendingBytes), MaxPendingBytes, 1024, 1L << 32),
            (nameof(MaxPlaces), MaxPlaces, 0, 1_000_000),
        })
        {
            if (value < least || value > most)
            {
                yield return FormattableString.Invariant($"{key} is {value}; {least:#,0} to {most:#,0} is valid.");
            }
        }

        if (MaxAge < TimeSpan.FromSeconds(1) || MaxAge > TimeSpan.FromDays(365))
        {
            yield return $"{nameof(MaxAge)} is {MaxAge}; 1 s to 365 days is valid.";
        }

        if (StoreWait < TimeSpan.Zero || StoreWait > TimeSpan.FromHours(1))
        {
            yield return $"{nameof(StoreWait)} is {StoreWait}; 0 to 1 hour is valid.";
        }
    }
}
