namespace Ingest.Stores;

/// <summary>What one query may use of the store.</summary>
public sealed record QueryLimits
{
    /// <summary>Longest run; default 60 s.</summary>
    public TimeSpan MaxDuration { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Most memory in bytes; default 1 GiB.</summary>
    public long MaxMemoryBytes { get; init; } = 1L << 30;

    /// <summary>Most threads; default 2.</summary>
    public int MaxThreads { get; init; } = 2;

    /// <summary>Output format when the query names none; default TabSeparated.</summary>
    public string DefaultFormat { get; init; } = "TabSeparated";

    /// <summary>
    /// How long a client may take nothing of its answer before the query is ended; default 30 s. A query holds one of
    /// <see cref="StoreOptions.MaxConcurrentQueries"/> places until its answer is taken.
    /// </summary>
    public TimeSpan UnreadTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Everything that is wrong with the settings, a sentence each that begins with the key.</summary>
    public IEnumerable<string> Validate()
    {
        foreach ((string key, TimeSpan time) in new[]
        {
            (nameof(MaxDuration), MaxDuration), (nameof(UnreadTimeout), UnreadTimeout),
        })
        {
            if (time < TimeSpan.FromMilliseconds(1) || time > TimeSpan.FromDays(1))
            {
                yield return $"{key} is {time}; 1 ms to 1 day is valid.";
            }
        }

        if (MaxMemoryBytes < 1 << 20)
        {
            yield return $"{nameof(MaxMemoryBytes)} is {MaxMemoryBytes}; at least 1 MiB is valid.";
        }

        if (MaxThreads is < 1 or > 1024)
        {
            yield return $"{nameof(MaxThreads)} is {MaxThreads}; 1 to 1024 is valid.";
        }

        if (DefaultFormat.Length is 0 or > 64 || !DefaultFormat.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
        {
            yield return $"{nameof(DefaultFormat)} is '{DefaultFormat}'; the name of a format is expected.";
        }
    }
}
