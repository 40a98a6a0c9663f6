namespace Ingest.Stores;

/// <summary>How a store lays its tables out: on one machine, or over the shards and replicas of a cluster.</summary>
internal sealed record TableLayout
{
    /// <summary>Latest inserts of a table whose tokens the store remembers.</summary>
    public required int DeduplicationWindow { get; init; }

    /// <summary>Name of the cluster; empty for a MergeTree on one machine.</summary>
    public string Cluster { get; init; } = "";

    /// <summary>Database of the tables; a Distributed table names it.</summary>
    public string Database { get; init; } = "default";

    /// <summary>Path of a table in Keeper, with the macros of the servers.</summary>
    public string ReplicaPath { get; init; } = "";

    /// <summary>Settings of a MergeTree that the server knows; null when it knows all of ours.</summary>
    public IReadOnlySet<string>? KnownSettings { get; init; }

    /// <summary>Whether the server has data skipping indices: since 20.1.</summary>
    public bool HasSkippingIndices { get; init; } = true;

    /// <summary>Parts that a merge takes at least; 0 leaves it to the server.</summary>
    public int MinMergedParts { get; init; }

    /// <summary>
    /// Free places of the server's merges below which only small parts are merged; 0 leaves it to the server.
    /// </summary>
    public int FreeMergesForLargeParts { get; init; }

    /// <summary>Whether rows lie in local tables below a Distributed one.</summary>
    public bool IsDistributed => Cluster.Length > 0;

    /// <summary>Name of the table that takes the rows.</summary>
    public string LocalName(string table) => IsDistributed ? table + "_local" : table;

    /// <summary>ON CLUSTER, or nothing.</summary>
    public string OnCluster => IsDistributed ? $" ON CLUSTER {SqlText.Identifier(Cluster)}" : "";

    /// <summary>The engine of the table that takes the rows.</summary>
    public string Engine => IsDistributed
        ? $"ReplicatedMergeTree({SqlText.Literal(ReplicaPath)}, '{{replica}}')"
        : "MergeTree";

    /// <summary>Settings of the table that takes the rows.</summary>
    /// <remarks>
    /// <c>non_replicated_deduplication_window</c> is 0 by default, which forgets every token; a replicated table also
    /// forgets by time, an hour in recent versions. With <c>fsync_after_insert</c> and <c>fsync_part_directory</c> a
    /// finished INSERT survives a power loss; they cost 10 %.
    /// </remarks>
    public IEnumerable<(string Name, long Value)> Settings()
    {
        (string, long)[] window = IsDistributed
            ? [("replicated_deduplication_window", DeduplicationWindow),
                ("replicated_deduplication_window_seconds", (long)TimeSpan.FromDays(7).TotalSeconds)]
            : [("non_replicated_deduplication_window", DeduplicationWindow)];
        (string, long)[] durable = [("fsync_after_insert", 1), ("fsync_part_directory", 1)];
        (string, long)[] merges =
        [
            ("min_parts_to_merge_at_once", MinMergedParts),
            ("number_of_free_entries_in_pool_to_lower_max_size_of_merge", FreeMergesForLargeParts),
        ];
        return window.Concat(durable).Concat(merges.Where(s => s.Item2 > 0))
            .Where(s => KnownSettings?.Contains(s.Item1) ?? true);
    }
}
