using Google.Protobuf.Reflection;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.ClickHouse;
using Ingest.V1;

namespace Ingest.Tests.Stores.ClickHouse;

[Collection(StandInCollection.Name)]
public sealed class ClickHouseStoreTests(StandInFixture servers) : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-clickhouse-").FullName;
    private ClickHouseStore? _store;

    public async Task InitializeAsync()
    {
        try
        {
            _store = await StandIn.OpenStoreAsync(_directory, servers.Servers.Take(1));
        }
        catch (SkipException)
        {
            // The test itself says so.
        }
    }

    public async Task DisposeAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }

    [SkippableTheory]
    [InlineData("none")]
    [InlineData("gzip")]
    public async Task A_segment_of_many_blocks_becomes_one_part_and_a_known_token_is_dropped(string compression)
    {
        string name = $"inserted_{compression}";
        string own = Directory.CreateDirectory(Path.Combine(_directory, compression)).FullName;
        await using ClickHouseStore store = await StandIn.OpenStoreAsync(
            own, servers.Servers.Take(1), options => options with { Compression = compression });
        TableSchema table = SegmentFile.Table(name);
        SealedSegment segment = SegmentFile.Write(_directory, table, SegmentFile.Id(1), [1000, 1, 70_000, 30]);
        await store.EnsureTableAsync(table, default);
        await store.InsertAsync(segment, default);
        await store.InsertAsync(segment, default);

        Assert.Equal(71_031, await store.CountRowsAsync(table, segment.SegmentId, default));
        Assert.Equal(0, await store.CountRowsAsync(table, SegmentFile.Id(2), default));
        Assert.Equal("1\n", await store.TextAsync(
            $"SELECT count() FROM system.parts WHERE database = 'default' AND table = '{name}' AND active"));
        Assert.Equal("71031\t71030\t2026-11-21 00:00:00.000\n", await store.TextAsync(
            $"SELECT uniqExact(id), max(id), any(received_at) FROM {name}"));
    }

    [SkippableFact]
    public async Task Every_table_of_the_protos_can_be_made_and_widened()
    {
        MessageDescriptor[] messages =
            [GpsPoint.Descriptor, Event.Descriptor, MetricSample.Descriptor, Order.Descriptor, DeadLetter.Descriptor];
        foreach (TableSchema table in messages.Select(TableSchema.FromDescriptor))
        {
            await Store.EnsureTableAsync(table, default);
            await Store.EnsureTableAsync(table, default);
        }

        await Store.EnsureTableAsync(SegmentFile.Table("widened"), default);
        await Store.EnsureTableAsync(
            SegmentFile.Table("widened", new ColumnSchema("speed", "Float32", "", "", "Float32")), default);
        Assert.Equal(
            "id\nlabel\nspeed\nsegment_id\nreceived_at\n",
            await Store.TextAsync("SELECT name FROM system.columns WHERE table = 'widened' ORDER BY position"));
        StoreException clash = await Assert.ThrowsAsync<StoreException>(() => Store.EnsureTableAsync(
            SegmentFile.Table("widened", new ColumnSchema("speed", "String", "", "", "String")), default));
        Assert.Contains("speed is Float32, the schema says String", clash.Message, StringComparison.Ordinal);
        Assert.Equal(StoreFault.BadQuery, clash.Fault);
    }

    [SkippableFact]
    public async Task Bytes_that_are_no_rows_are_bad_data_and_a_short_file_too()
    {
        TableSchema table = SegmentFile.Table("bad");
        SealedSegment segment = SegmentFile.Write(_directory, table, SegmentFile.Id(1), [10]);
        byte[] bytes = await File.ReadAllBytesAsync(segment.Path);
        SealedSegment longer = segment with { Length = segment.Length + 5 };
        Assert.Equal(StoreFault.BadData, await FaultOfInsertAsync(longer));

        // The name of the second column's type: Strinx.
        int at = bytes.AsSpan().IndexOf("String"u8) + 5;
        bytes[at] = (byte)'x';
        await File.WriteAllBytesAsync(segment.Path, bytes);
        Assert.Equal(StoreFault.BadData, await FaultOfInsertAsync(segment));
        Assert.Equal(0, await Store.CountRowsAsync(table, segment.SegmentId, default));
    }

    [SkippableFact]
    public async Task Queries_only_read_and_faults_are_the_servers_own()
    {
        Assert.Equal("3\n", await Store.TextAsync("SELECT 1 + 2"));
        Assert.Equal("{\"x\":1}\n", await Store.TextAsync(
            "SELECT 1 AS x", new QueryLimits { DefaultFormat = "JSONEachRow" }));
        Assert.Equal(StoreFault.ReadOnly, (await Store.FaultAsync("CREATE TABLE t (a Int8) ENGINE = Memory")).Fault);
        StoreException unknown = await Store.FaultAsync("SELECT * FROM nowhere");
        Assert.StartsWith("Code: 60.", unknown.Message, StringComparison.Ordinal);
        Assert.Equal(StoreFault.BadQuery, unknown.Fault);
        StoreException limit = await Store.FaultAsync(
            "SELECT groupArray(number) FROM numbers(10000000)", new QueryLimits { MaxMemoryBytes = 10_000_000 });
        Assert.StartsWith("Code: 241.", limit.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task An_answer_of_many_pieces_is_whole()
    {
        string text = await Store.TextAsync("SELECT number FROM numbers(300000)");
        Assert.Equal(string.Concat(Enumerable.Range(0, 300_000).Select(i => $"{i}\n")), text);
    }

    [SkippableFact]
    public async Task A_replica_that_is_away_is_left_out()
    {
        string own = Directory.CreateDirectory(Path.Combine(_directory, "replicas")).FullName;
        await using ClickHouseStore store = await StandIn.OpenStoreAsync(
            own, [], options => options with { Shards = [$"http://127.0.0.1:1,{servers.Servers[0].Url}"] });
        TableSchema table = SegmentFile.Table("next_replica");
        await store.EnsureTableAsync(table, default);
        for (ulong i = 1; i <= 4; i++)
        {
            await store.InsertAsync(SegmentFile.Write(_directory, table, SegmentFile.Id(i), [10]), default);
        }

        Assert.True(await store.IsAvailableAsync(default));
        Assert.Equal("40\n", await store.TextAsync("SELECT count() FROM next_replica"));
    }

    [SkippableFact]
    public async Task A_server_that_is_away_is_named_and_keeps_nothing_from_starting()
    {
        _ = servers.Servers;
        string own = Directory.CreateDirectory(Path.Combine(_directory, "away")).FullName;
        await using ClickHouseStore store = await StandIn.OpenStoreAsync(
            own, [], options => options with { Shards = ["http://127.0.0.1:1"] });
        Assert.False(await store.IsAvailableAsync(default));
        Assert.Contains("not reached yet", store.Description, StringComparison.Ordinal);
        StoreException fault = await Assert.ThrowsAsync<StoreException>(
            () => store.EnsureTableAsync(SegmentFile.Table("away"), default));
        Assert.Equal(StoreFault.Unavailable, fault.Fault);
        Assert.Contains("127.0.0.1:1", fault.Message, StringComparison.Ordinal);
        Assert.Equal(StoreFault.Unavailable, (await store.FaultAsync("SELECT 1")).Fault);
    }

    [SkippableFact]
    public async Task A_query_over_shards_without_a_cluster_is_refused()
    {
        string own = Directory.CreateDirectory(Path.Combine(_directory, "shards")).FullName;
        await using ClickHouseStore store = await StandIn.OpenStoreAsync(own, servers.Servers);
        StoreException fault = await store.FaultAsync("SELECT 1");
        Assert.Equal(StoreFault.BadQuery, fault.Fault);
        Assert.Contains("one of 3 shards", fault.Message, StringComparison.Ordinal);
    }

    private ClickHouseStore Store
    {
        get
        {
            _ = servers.Servers;
            return _store!;
        }
    }

    private async Task<StoreFault> FaultOfInsertAsync(SealedSegment segment)
    {
        await Store.EnsureTableAsync(segment.Table, default);
        return (await Assert.ThrowsAsync<StoreException>(() => Store.InsertAsync(segment, default))).Fault;
    }
}
