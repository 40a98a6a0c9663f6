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
}
