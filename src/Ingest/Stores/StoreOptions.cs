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
    /// Niceness of the embedded engine's threads, 0 to 19; default 10: of a core that the server wants too they have a
    /// tenth. Unless it is 0, those that merge run only when no other wants the core.
    /// </summary>
    public int EngineNice { get; init; } = 10;

    /// <summary>
    /// Whether the rows of a segment are put into the order of their table before the embedded engine gets them, which
    /// halves what an insert costs it; default true.
    /// </summary>
    public bool OrderRows { get; init; } = true;

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

        foreach ((string key, long value, long least, long most) in new[]
        {
            (nameof(MaxConcurrentQueries), MaxConcurrentQueries, 1, 1024),
            (nameof(MaxWholeAnswerBytes), MaxWholeAnswerBytes, 1024, 1L << 40),
            (nameof(MaxMemoryBytes), MaxMemoryBytes, 64L << 20, 1L << 50),
            (nameof(MarkCacheBytes), MarkCacheBytes, 1 << 20, 1L << 50),
            (nameof(MergeThreads), MergeThreads, 1, 1024),
            (nameof(EngineNice), EngineNice, 0, 19),
            (nameof(DeduplicationWindow), DeduplicationWindow, 1, 10_000_000),
            (nameof(MaxBisectionInserts), MaxBisectionInserts, 0, 1_000_000),
        })
        {
            if (value < least || value > most)
            {
                yield return FormattableString.Invariant($"{key} is {value}; {least:#,0} to {most:#,0} is valid.");
            }
        }

        foreach ((string key, TimeSpan time) in new[]
        {
            (nameof(RetryDelay), RetryDelay), (nameof(MaxRetryDelay), MaxRetryDelay),
        })
        {
            if (time < TimeSpan.FromMilliseconds(1) || time > TimeSpan.FromHours(1))
            {
                yield return $"{key} is {time}; 1 ms to 1 hour is valid.";
            }
        }

        foreach (string fault in Kind == ClickHouseKind ? ClickHouse.Validate() : [])
        {
            yield return $"ClickHouse:{fault}";
        }
    }
}
