using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.Embedded;

namespace Ingest.Tests.Stores;

/// <summary>What a store is told of a segment that comes next.</summary>
[Collection(EngineCollection.Name)]
public sealed class EmbeddedPrepareTests(EngineFixture engine)
{
    [SkippableFact]
    public async Task A_prepared_segment_is_in_the_table_when_it_was_inserted_and_not_before()
    {
        (EmbeddedStore store, TableSchema table) = await MakeAsync("prepared");
        SealedSegment[] segments = [Segment(table, 1, 5_000), Segment(table, 2, 6_000), Segment(table, 3, 7_000)];
        long expected = 0;
        for (int i = 0; i < segments.Length; i++)
        {
            Task inserted = store.InsertAsync(segments[i], default);
            if (i + 1 < segments.Length)
            {
                store.Prepare(segments[i + 1]);
            }

            await inserted;
            expected += segments[i].Rows;
            Assert.Equal($"{expected}\n", await store.TextAsync($"SELECT count() FROM {table.Name}"));
        }
    }

    [SkippableFact]
    public async Task A_prepared_segment_holds_no_other_up()
    {
        (EmbeddedStore store, TableSchema table) = await MakeAsync("prepared_first");
        (_, TableSchema other) = await MakeAsync("prepared_other");
        SealedSegment later = Segment(table, 9, 5_000);
        store.Prepare(later);
        store.Prepare(Segment(other, 9, 5_000)); // Not prepared: one is.
        for (uint i = 1; i <= 3; i++)
        {
            await store.InsertAsync(Segment(table, i, 10), default);
            await store.InsertAsync(Segment(other, i, 20), default);
        }

        Assert.Equal("30\n", await store.TextAsync($"SELECT count() FROM {table.Name}"));
        Assert.Equal("60\n", await store.TextAsync($"SELECT count() FROM {other.Name}"));
        await store.InsertAsync(later, default);
        Assert.Equal("5030\n", await store.TextAsync($"SELECT count() FROM {table.Name}"));
    }

    [SkippableFact]
    public async Task What_could_not_be_prepared_is_inserted_all_the_same()
    {
        EmbeddedStore store = engine.Store;
        TableSchema table = SegmentFile.Table("prepared_early");
        SealedSegment segment = Segment(table, 1, 5_000);
        store.Prepare(segment); // There is no such table yet.
        await store.EnsureTableAsync(table, default);
        await store.InsertAsync(segment, default);
        Assert.Equal(5_000, await store.CountRowsAsync(table, segment.SegmentId, default));
    }

    [SkippableFact]
    public async Task A_bad_segment_that_was_prepared_is_told_when_it_is_inserted()
    {
        (EmbeddedStore store, TableSchema table) = await MakeAsync("prepared_bad");
        SealedSegment bad = Segment(table, 1, 5_000);
        using (FileStream file = File.OpenWrite(bad.Path))
        {
            file.SetLength(bad.Length - 7);
        }

        bad = bad with { Length = bad.Length - 7 };
        store.Prepare(bad);
        StoreException fault = await Assert.ThrowsAsync<StoreException>(() => store.InsertAsync(bad, default));
        Assert.Equal(StoreFault.BadData, fault.Fault);

        SealedSegment next = Segment(table, 2, 5);
        store.Prepare(next);
        await store.InsertAsync(next, default);
        Assert.Equal("5\n", await store.TextAsync($"SELECT count() FROM {table.Name}"));
    }

    [SkippableFact]
    public async Task A_prepared_segment_whose_insert_is_cancelled_leaves_nothing()
    {
        (EmbeddedStore store, TableSchema table) = await MakeAsync("prepared_cancelled");
        SealedSegment segment = Segment(table, 1, 5_000);
        store.Prepare(segment);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.InsertAsync(segment, cancelled.Token));
        Assert.Equal("0\n", await store.TextAsync($"SELECT count() FROM {table.Name}"));
        await store.InsertAsync(segment, default);
        Assert.Equal("5000\n", await store.TextAsync($"SELECT count() FROM {table.Name}"));
    }

    private SealedSegment Segment(TableSchema table, uint id, int rows) =>
        SegmentFile.Write(engine.Directory, table, SegmentFile.Id(id), [rows]);

    private async Task<(EmbeddedStore Store, TableSchema Table)> MakeAsync(string name)
    {
        EmbeddedStore store = engine.Store;
        TableSchema table = SegmentFile.Table(name);
        await store.EnsureTableAsync(table, default);
        return (store, table);
    }
}
