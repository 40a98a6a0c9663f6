using System.Threading.Channels;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Stores;

/// <summary>Tables with a partition of their own, where an INSERT can land in part.</summary>
[Collection(EngineCollection.Name)]
public sealed class EmbeddedPartitionTests(EngineFixture engine)
{
    private static readonly int[] s_blocks = [10, 1000, 7];

    [SkippableFact]
    public async Task A_segment_becomes_a_part_a_partition_and_a_known_token_is_dropped_in_each()
    {
        (EmbeddedStore store, SealedSegment segment) = await MakeAsync("partitions");
        await store.InsertAsync(segment, default);
        await store.InsertAsync(segment, default);
        await AssertWholeAsync(store, segment);
        Assert.Equal("4\n", await store.TextAsync(
            "SELECT count() FROM system.parts WHERE table = 'partitions' AND active"));
    }

    [SkippableFact]
    public async Task More_partitions_than_the_engine_takes_by_default_are_taken()
    {
        EmbeddedStore store = engine.Store;
        TableSchema four = SegmentFile.PartitionedTable("many_partitions");
        var table = new TableSchema(four.Name, four.Message, four.Columns, four.OrderBy, "id % 150", 30);
        await store.EnsureTableAsync(table, default);
        SealedSegment segment = SegmentFile.Write(engine.Directory, table, SegmentFile.Id(1), s_blocks);
        await store.InsertAsync(segment, default);
        await AssertWholeAsync(store, segment);
    }

    public static TheoryData<string, Func<ulong, bool>> Landings => new()
    {
        { "one_partition", id => id % 4 == 1 },
        { "all_but_one", id => id % 4 != 2 },
        { "the_first_rows", id => id < 5 },
        { "the_last_block", id => id >= 1010 },
        { "all", _ => true },
        { "none", _ => false },
    };

    // What a power loss leaves: some rows, and no token.
    [SkippableTheory]
    [MemberData(nameof(Landings))]
    public async Task After_an_unclean_stop_what_is_missing_is_inserted_by_row(string name, Func<ulong, bool> landed)
    {
        (EmbeddedStore store, SealedSegment segment) = await MakeAsync($"landed_{name}");
        (_, SealedSegment other) = await MakeAsync($"landed_{name}", SegmentFile.Id(9));
        await store.InsertAsync(other, default);
        await LandInPartAsync(store, segment, landed);

        StoreWriterStatus status = await RunWriterAsync(store, segment with { Recovered = true });

        await AssertWholeAsync(store, segment);
        await AssertWholeAsync(store, other);
        Assert.Equal((0L, 0L), (status.Quarantined, status.Failures));
        Assert.Equal(name == "all" ? 0 : 1, status.Inserts);
    }

    [SkippableFact]
    public async Task What_is_missing_can_be_inserted_twice_without_harm()
    {
        (EmbeddedStore store, SealedSegment segment) = await MakeAsync("completed_twice");
        await LandInPartAsync(store, segment, id => id % 4 == 2);
        await store.InsertMissingAsync(segment, default);
        await store.InsertMissingAsync(segment, default);
        await AssertWholeAsync(store, segment);
    }

    [SkippableFact]
    public async Task What_stands_behind_a_segments_end_is_not_inserted()
    {
        (EmbeddedStore store, SealedSegment segment) = await MakeAsync("longer_file");
        await LandInPartAsync(store, segment, id => id % 4 == 0);
        await File.AppendAllTextAsync(segment.Path, "left by a failed write");
        await store.InsertMissingAsync(segment, default);
        await AssertWholeAsync(store, segment);
    }

    private async Task<(EmbeddedStore Store, SealedSegment Segment)> MakeAsync(string name, ulong? id = null)
    {
        EmbeddedStore store = engine.Store;
        TableSchema table = SegmentFile.PartitionedTable(name);
        await store.EnsureTableAsync(table, default);
        return (store, SegmentFile.Write(engine.Directory, table, id ?? SegmentFile.Id(1), s_blocks));
    }

    private async Task LandInPartAsync(EmbeddedStore store, SealedSegment segment, Func<ulong, bool> landed)
    {
        SealedSegment part = SegmentFile.WriteSome(
            engine.Directory, segment.Table, segment.SegmentId, s_blocks, landed, $"{segment.Token}/part");
        if (part.Rows > 0)
        {
            await store.InsertAsync(part, default);
        }

        Assert.Equal(part.Rows, await store.CountRowsAsync(segment.Table, segment.SegmentId, default));
    }

    private async Task<StoreWriterStatus> RunWriterAsync(EmbeddedStore store, SealedSegment segment)
    {
        var segments = Channel.CreateUnbounded<SealedSegment>();
        segments.Writer.TryWrite(segment);
        segments.Writer.Complete();
        await using var writer = new StoreWriter(
            store, segments.Reader, _ => { }, Path.Combine(engine.Directory, "quarantine"), new StoreOptions(),
            NullLogger.Instance, TimeProvider.System);
        writer.Start();
        await writer.StopAsync(TimeSpan.FromSeconds(60));
        return writer.Status;
    }

    private static async Task AssertWholeAsync(EmbeddedStore store, SealedSegment segment) => Assert.Equal(
        "1017\t1017\t1017\t1016\t0\n",
        await store.TextAsync(
            $"SELECT count(), uniqExact(id), uniqExact(segment_row), max(id), sum(id != segment_row) "
            + $"FROM {segment.Table.Name} WHERE segment_id = {segment.SegmentId}"));
}
