using System.Threading.Channels;
using Google.Protobuf.WellKnownTypes;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.ClickHouse;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Stores.ClickHouse;

/// <summary>
/// ON CLUSTER, replicated tables and the Distributed one above them, on real servers with a real Keeper, as old as they
/// are: without tokens, by which a repeated block is told, but by the block's own hash.
/// </summary>
public sealed class OldClusterTests(OldCluster cluster) : IClassFixture<OldCluster>
{
    [SkippableTheory]
    [InlineData("0")]
    [InlineData("2")]
    public async Task Both_replicas_get_a_segment_once_and_the_count_waits_for_what_is_on_its_way(string quorum)
    {
        TableSchema table = Table($"pairs_{quorum}");
        await using ClickHouseStore store = await OpenAsync(table, quorum);
        await store.EnsureTableAsync(table, default);
        await store.EnsureTableAsync(table, default);
        Assert.Equal("ReplicatedMergeTree", await cluster.AskAsync(1, Engine($"{table.Name}_local")));
        Assert.Equal("Distributed", await cluster.AskAsync(0, Engine(table.Name)));

        // Each call is the next replica's turn: what one was sent, another counts and is sent again.
        SealedSegment segment = SegmentFile.Write(cluster.Directory, table, SegmentFile.Id(1), [1000, 200]);
        for (int turn = 0; turn < 4; turn++)
        {
            await store.InsertAsync(segment, default);
            Assert.Equal(1200, await store.CountRowsAsync(table, segment.SegmentId, default));
        }

        for (int replica = 0; replica < 2; replica++)
        {
            await cluster.AskAsync(replica, $"SYSTEM SYNC REPLICA {table.Name}_local");
            Assert.Equal(
                "1200\t1200",
                await cluster.AskAsync(replica, $"SELECT count(), uniqExact(id) FROM {table.Name}_local"));
            Assert.Equal("1200", await cluster.AskAsync(replica, $"SELECT count() FROM {table.Name}"));
        }
    }

    [SkippableFact]
    public async Task A_replica_that_dies_is_stood_in_for_by_the_other_and_catches_up()
    {
        TableSchema table = Table("survivors");
        await using ClickHouseStore store = await OpenAsync(table);
        await store.EnsureTableAsync(table, default);
        Channel<SealedSegment> segments = Channel.CreateUnbounded<SealedSegment>();
        await using var writer = new StoreWriter(
            store, segments.Reader, _ => { }, Path.Combine(cluster.Directory, "quarantine"),
            new StoreOptions
            {
                RetryDelay = TimeSpan.FromMilliseconds(5),
                MaxRetryDelay = TimeSpan.FromMilliseconds(100),
            },
            NullLogger.Instance, TimeProvider.System);
        writer.Start();
        for (ulong number = 1; number <= 20; number++)
        {
            if (number == 8)
            {
                await cluster.KillAsync(0);
            }

            await segments.Writer.WriteAsync(
                SegmentFile.Write(cluster.Directory, table, SegmentFile.Id(number), [100 + (int)number]));
        }

        segments.Writer.Complete();
        await writer.StopAsync(TimeSpan.FromSeconds(60));
        Assert.Equal((20L, 0), (writer.Status.Inserts + writer.Status.AlreadyStored, writer.Status.WaitingSegments));
        await cluster.StartAsync(0);
        for (int replica = 0; replica < 2; replica++)
        {
            await cluster.AskAsync(replica, "SYSTEM SYNC REPLICA survivors_local");
            Assert.Equal("2210\t20", await cluster.AskAsync(
                replica, "SELECT count(), uniqExact(segment_id) FROM survivors_local"));
        }
    }

    private Task<ClickHouseStore> OpenAsync(TableSchema table, string quorum = "0")
    {
        string own = Directory.CreateDirectory(Path.Combine(cluster.Directory, Guid.NewGuid().ToString("N"))).FullName;
        return ClickHouseStore.OpenAsync(
            new ClickHouseOptions
            {
                Shards = [string.Join(',', cluster.Urls)],
                Cluster = OldCluster.Name,
                InsertQuorum = quorum,

                // It does not know the macros {database} and {table}.
                ReplicaPath = $"/clickhouse/tables/{{shard}}/{table.Name}",
                BreakDuration = TimeSpan.FromMilliseconds(20),
                MaxBreakDuration = TimeSpan.FromMilliseconds(100),
            },
            100, Path.Combine(own, "placements"), TimeProvider.System);
    }

    private static string Engine(string table) => $"SELECT engine FROM system.tables WHERE name = '{table}'";

    // Types as they stand in the block: this server casts none.
    private static TableSchema Table(string name) => new(
        name, Struct.Descriptor,
        [
            new ColumnSchema("id", "UInt64", "", "", "UInt64"),
            new ColumnSchema("label", "String", "", "", "String"),
            new ColumnSchema("segment_id", "LowCardinality(UInt64)", "", "", "LowCardinality(UInt64)"),
        ],
        ["label", "id"], "", 0);
}
