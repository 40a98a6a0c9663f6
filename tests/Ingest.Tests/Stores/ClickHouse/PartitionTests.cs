using System.Threading.Channels;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.ClickHouse;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Stores.ClickHouse;

/// <summary>Tables with a partition of their own over HTTP: a segment of which the server has a part is completed.</summary>
[Collection(StandInCollection.Name)]
public sealed class PartitionTests(StandInFixture servers) : IDisposable
{
    private static readonly int[] s_blocks = [10, 1000, 7];

    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-partitions-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [SkippableTheory]
    [InlineData("none")]
    [InlineData("gzip")]
    public async Task After_an_unclean_stop_what_is_missing_is_inserted_by_row(string compression)
    {
        await using ClickHouseStore store = await StandIn.OpenStoreAsync(
            _directory, servers.Servers.Take(1), options => options with { Compression = compression });
        SealedSegment segment = await LandInPartAsync(store, $"by_row_{compression}");
        await RunWriterAsync(store, segment with { Recovered = true });
        await AssertWholeAsync(store, segment);
    }

    [SkippableFact]
    public async Task Rows_that_are_there_are_told_by_their_numbers_however_often_it_is_asked()
    {
        await using ClickHouseStore store = await StandIn.OpenStoreAsync(_directory, servers.Servers.Take(1));
        SealedSegment segment = await LandInPartAsync(store, "by_row_twice");
        await store.InsertMissingAsync(segment, default);
        await store.InsertMissingAsync(segment, default);
        await AssertWholeAsync(store, segment);
    }

    private async Task<SealedSegment> LandInPartAsync(ClickHouseStore store, string name)
    {
        TableSchema table = SegmentFile.PartitionedTable(name);
        await store.EnsureTableAsync(table, default);
        SealedSegment segment = SegmentFile.Write(_directory, table, SegmentFile.Id(1), s_blocks);
        SealedSegment part = SegmentFile.WriteSome(
            _directory, table, segment.SegmentId, s_blocks, id => id % 4 is 1 or 2, $"{segment.Token}/part");
        await store.InsertAsync(part, default);
        Assert.Equal(part.Rows, await store.CountRowsAsync(table, segment.SegmentId, default));
        return segment;
    }

    private async Task RunWriterAsync(ClickHouseStore store, SealedSegment segment)
    {
        var segments = Channel.CreateUnbounded<SealedSegment>();
        segments.Writer.TryWrite(segment);
        segments.Writer.Complete();
        await using var writer = new StoreWriter(
            store, segments.Reader, _ => { }, Path.Combine(_directory, "quarantine"), new StoreOptions(),
            NullLogger.Instance, TimeProvider.System);
        writer.Start();
        await writer.StopAsync(TimeSpan.FromSeconds(60));
        Assert.Equal((1L, 0L, 0L), (writer.Status.Inserts, writer.Status.Quarantined, writer.Status.Failures));
    }

    private static async Task AssertWholeAsync(ClickHouseStore store, SealedSegment segment) => Assert.Equal(
        "1017\t1017\t1017\t0\n",
        await store.TextAsync(
            $"SELECT count(), uniqExact(id), uniqExact(segment_row), sum(id != segment_row) FROM {segment.Table.Name} "
            + $"WHERE segment_id = {segment.SegmentId}"));
}
