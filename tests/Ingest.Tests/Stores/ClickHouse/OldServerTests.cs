using Google.Protobuf.WellKnownTypes;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.ClickHouse;

namespace Ingest.Tests.Stores.ClickHouse;

/// <summary>
/// The wire path against a real server, as old as it may be: it knows neither tokens nor most of our settings, so these
/// tests also show that those are left out. Tables of the protos need a server of this decade (DateTime64, codecs).
/// </summary>
public sealed class OldServerTests(OldServer server) : IClassFixture<OldServer>, IAsyncLifetime
{
    private ClickHouseStore _store = null!;

    public async Task InitializeAsync()
    {
        string own = Directory.CreateDirectory(Path.Combine(server.Directory, Guid.NewGuid().ToString("N"))).FullName;
        string url;
        try
        {
            url = server.Url;
        }
        catch (SkipException)
        {
            // The test itself says so.
            return;
        }

        _store = await ClickHouseStore.OpenAsync(
            new ClickHouseOptions { Shards = [url], User = "ingest", Password = OldServer.Password }, 100,
            Path.Combine(own, "placements"), TimeProvider.System);
    }

    public async Task DisposeAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }
    }

    [SkippableTheory]
    [InlineData("none")]
    [InlineData("gzip")]
    public async Task A_segment_is_inserted_counted_and_read(string compression)
    {
        TableSchema table = Table($"real_{compression}");
        SealedSegment segment = SegmentFile.Write(server.Directory, table, SegmentFile.Id(1), [100, 1, 50_000, 30]);
        string own = Directory.CreateDirectory(Path.Combine(server.Directory, compression)).FullName;
        await using ClickHouseStore store = await ClickHouseStore.OpenAsync(
            new ClickHouseOptions
            {
                Shards = [server.Url], User = "ingest", Password = OldServer.Password, Compression = compression,
            },
            100, Path.Combine(own, "placements"), TimeProvider.System);
        Assert.True(await store.IsAvailableAsync(default));
        await store.EnsureTableAsync(table, default);
        await store.EnsureTableAsync(table, default);
        await store.InsertAsync(segment, default);

        Assert.Equal(50_131, await store.CountRowsAsync(table, segment.SegmentId, default));
        Assert.Equal(0, await store.CountRowsAsync(table, SegmentFile.Id(2), default));
        Assert.Equal(
            "50131\t50130\tlabel 0\tlabel 99\n",
            await store.TextAsync($"SELECT uniqExact(id), max(id), min(label), max(label) FROM {table.Name}"));
        Assert.Equal("1\n", await store.TextAsync(
            $"SELECT count() FROM system.parts WHERE table = '{table.Name}' AND active"));
        Assert.StartsWith("ClickHouse ", store.Description, StringComparison.Ordinal);
        Assert.DoesNotContain("not reached", store.Description, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Bad_bytes_are_bad_data()
    {
        TableSchema table = Table("real_bad");
        SealedSegment segment = SegmentFile.Write(server.Directory, table, SegmentFile.Id(1), [10]);
        byte[] bytes = await File.ReadAllBytesAsync(segment.Path);
        bytes[bytes.AsSpan().IndexOf("String"u8) + 5] = (byte)'x';
        await File.WriteAllBytesAsync(segment.Path, bytes);
        await Store.EnsureTableAsync(table, default);
        StoreException fault = await Assert.ThrowsAsync<StoreException>(() => Store.InsertAsync(segment, default));
        Assert.Equal(StoreFault.BadData, fault.Fault);
        Assert.StartsWith("Code: 50,", fault.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Writes_wrong_queries_and_late_faults_are_told_in_the_servers_words()
    {
        Assert.Equal(StoreFault.ReadOnly, (await Store.FaultAsync("CREATE TABLE t (a Int8) ENGINE = Memory")).Fault);
        Assert.StartsWith("Code: 60,", (await Store.FaultAsync("SELECT * FROM nowhere")).Message, StringComparison.Ordinal);
        StoreException late = await Store.FaultAsync(
            "SELECT throwIf(number = 3000000) FROM system.numbers LIMIT 4000000", new QueryLimits { MaxThreads = 1 });
        Assert.StartsWith("Code: 395,", late.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_client_that_leaves_ends_its_query()
    {
        using var left = new CancellationTokenSource();
        await using IAsyncEnumerator<ReadOnlyMemory<byte>> pieces = Store
            .QueryAsync("SELECT number AS left_alone FROM system.numbers", new QueryLimits(), left.Token)
            .GetAsyncEnumerator();
        Assert.True(await pieces.MoveNextAsync());
        await left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (await pieces.MoveNextAsync())
            {
            }
        });
        long deadline = Environment.TickCount64 + 30_000;
        while (await Store.TextAsync(
            "SELECT count() FROM system.processes WHERE query LIKE '%left_alone%' AND query NOT LIKE '%processes%'")
            != "0\n")
        {
            Assert.True(Environment.TickCount64 < deadline, "the query still runs");
            await Task.Delay(20);
        }
    }

    [SkippableFact]
    public async Task A_wrong_password_is_told()
    {
        string own = Directory.CreateDirectory(Path.Combine(server.Directory, "password")).FullName;
        await using ClickHouseStore store = await ClickHouseStore.OpenAsync(
            new ClickHouseOptions { Shards = [server.Url], User = "ingest", Password = "no" }, 100,
            Path.Combine(own, "placements"), TimeProvider.System);
        StoreException fault = await Assert.ThrowsAsync<StoreException>(
            () => store.EnsureTableAsync(Table("never"), default));
        Assert.Equal(StoreFault.BadQuery, fault.Fault);
        Assert.Contains("assword", fault.Message, StringComparison.Ordinal);
    }

    private ClickHouseStore Store
    {
        get
        {
            _ = server.Url;
            return _store;
        }
    }

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
