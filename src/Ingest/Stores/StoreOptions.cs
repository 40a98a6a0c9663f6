using Ingest.Stores.ClickHouse;

namespace Ingest.Stores;

/// <summary>Settings of the store and of the writer that feeds it.</summary>
public sealed record StoreOptions
{
    /// <summary>The engine in this process.</summary>
    public const string EmbeddedKind = "embedded";

    /// <summary>ClickHouse servers over HTTP.</summary>
    public const string ClickHouseKind = "clickhouse";

    /// <summary>Rows are taken and dropped.</summary>
    public const string NullKind = "null";

    /// <summary>
    /// <c>embedded</c> (default), <c>clickhouse</c>, or <c>null</c>, which takes and drops: for measuring.
    /// </summary>
    public string Kind { get; init; } = EmbeddedKind;

    /// <summary>Path of libchdb, or empty (default): then the places that <c>LibChdbLocation</c> lists are searched.</summary>
    public string Library { get; init; } = "";

    /// <summary>Queries that run at the same time; default 4. More wait for their turn.</summary>
    public int MaxConcurrentQueries { get; init; } = 4;

    /// <summary>
    /// Bytes of an answer in a format that cannot be sent piece by piece (JSON, Parquet, Pretty...); default 256 MiB.
    /// A larger answer is refused; row formats such as TabSeparated, CSV or JSONEachRow have no such limit.
    /// </summary>
    public long MaxWholeAnswerBytes { get; init; } = 256L << 20;

    /// <summary>
    /// Bytes that the embedded engine may use, queries, inserts and merges together; default 2 GiB. The engine itself
    /// never goes above 90 % of the machine's memory.
    /// </summary>
    public long MaxMemoryBytes { get; init; } = 2L << 30;

    /// <summary>Bytes of the embedded engine's mark cache; default 64 MiB (the engine's own default is 5 GiB).</summary>
    public long MarkCacheBytes { get; init; } = 64L << 20;

    /// <summary>Threads of the embedded engine that merge parts; default 2 (the engine's own default is 16).</summary>
    public int MergeThreads { get; init; } = 2;

    /// <summary>
    /// Latest inserts of a table whose tokens the store remembers, so that a repeated one is dropped; default 10,000.
    /// </summary>
    public int DeduplicationWindow { get; init; } = 10_000;

    /// <summary>Wait before a failed insert is tried again, doubled each time, with jitter; default 100 ms.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest wait between two tries of an insert; default 30 s.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Inserts that finding the bad rows of a segment may take which the store refuses for its data, about 30 a bad row;
    /// default 500. What is refused then is set aside.
    /// </summary>
    public int MaxBisectionInserts { get; init; } = 500;

    /// <summary>The servers of <c>clickhouse</c>.</summary>
    public ClickHouseOptions ClickHouse { get; init; } = new();

    /// <summary>Everything that is wrong with the settings, a sentence each that begins with the key.</summary>
    public IEnumerable<string> Validate()
    {
        if (Kind is not (EmbeddedKind or ClickHouseKind or NullKind))
        {
            yield return $"Kind is '{Kind}'; embedded, clickhouse or null is expected.";
        }

        if (MaxBisectionInserts < 0)
        {
            yield return $"MaxBisectionInserts is {MaxBisectionInserts}; 0 or more is expected.";
        }

        foreach (string fault in Kind == ClickHouseKind ? ClickHouse.Validate() : [])
        {
            yield return $"ClickHouse:{fault}";
        }
    }
}
