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

    [SkippableFact]
    public async Task A_segment_that_is_no_longer_prepared_leaves_nothing_and_frees_its_connection()
    {
        (EmbeddedStore store, TableSchema table) = await MakeAsync("unprepared");
        SealedSegment[] segments = [Segment(table, 1, 5_000), Segment(table, 2, 6_000)];
        foreach (SealedSegment segment in segments)
        {
            store.Prepare(segment);
            await OpenInsertsAsync(table, 1);
            store.Unprepare(segment);
            await OpenInsertsAsync(table, 0);
            store.Unprepare(segment);
        }

        Assert.Equal("0\n", await store.TextAsync($"SELECT count() FROM {table.Name}"));
        await Task.WhenAll(segments.Select(segment => store.InsertAsync(segment, default)));
        Assert.Equal("11000\n", await store.TextAsync($"SELECT count() FROM {table.Name}"));
    }

    [SkippableFact]
    public async Task A_column_that_is_added_meanwhile_does_not_harm_a_prepared_segment()
    {
        (EmbeddedStore store, TableSchema table) = await MakeAsync("prepared_altered");
        SealedSegment segment = Segment(table, 1, 5_000);
        store.Prepare(segment);
        await OpenInsertsAsync(table, 1);
        TableSchema wider = SegmentFile.Table(table.Name, new ColumnSchema("extra", "Int32", "", "", "Int32"));
        await store.EnsureTableAsync(wider, default);
        await store.InsertAsync(segment, default);
        Assert.Equal("5000\t0\n", await store.TextAsync($"SELECT count(), sum(extra) FROM {table.Name}"));
    }

    [SkippableFact]
    public async Task A_prepared_segment_that_the_engine_breaks_off_is_worth_another_try()
    {
        (EmbeddedStore store, TableSchema table) = await MakeAsync("prepared_killed");
        SealedSegment segment = Segment(table, 1, 5_000);
        store.Prepare(segment);
        await OpenInsertsAsync(table, 1);
        await RunAsync($"KILL QUERY WHERE query LIKE 'INSERT INTO%{table.Name}%' ASYNC");
        await AssertWorthAnotherTryAsync(segment);
        Assert.Equal(0, await store.CountRowsAsync(table, segment.SegmentId, default));
        await store.InsertAsync(segment, default);
        Assert.Equal(5_000, await store.CountRowsAsync(table, segment.SegmentId, default));
    }

    [SkippableFact]
    public async Task A_prepared_segment_whose_table_is_made_anew_is_not_lost()
    {
        (EmbeddedStore store, TableSchema table) = await MakeAsync("prepared_dropped");
        SealedSegment segment = Segment(table, 1, 5_000);
        store.Prepare(segment);
        await OpenInsertsAsync(table, 1);
        await RunAsync($"DROP TABLE {table.Name}");
        await store.EnsureTableAsync(table, default);
        await AssertWorthAnotherTryAsync(segment);
        await store.InsertAsync(segment, default);
        Assert.Equal(5_000, await store.CountRowsAsync(table, segment.SegmentId, default));
    }

    private async Task AssertWorthAnotherTryAsync(SealedSegment segment)
    {
        StoreException fault = await Assert.ThrowsAsync<StoreException>(
            () => engine.Store.InsertAsync(segment, default));
        Assert.True(fault.Fault == StoreFault.Unavailable, fault.Message);
    }

    // As an operator would with a client of his own.
    private async Task RunAsync(string statement)
    {
        await using var thread = new StoreThread("operator");
        await thread.RunAsync(() =>
        {
            using EngineConnection connection = EngineConnection.Open([$"--path={engine.Directory}/store"]);
            connection.Run(statement).Dispose();
        });
    }

    private async Task OpenInsertsAsync(TableSchema table, int count)
    {
        string query = $"SELECT count() FROM system.processes WHERE query LIKE 'INSERT INTO%{table.Name}%'";
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        string found;
        while ((found = await engine.Store.TextAsync(query)) != $"{count}\n")
        {
            Assert.False(late.IsCancellationRequested, $"{count} of {table.Name} never, {found}");
            await Task.Delay(5);
        }
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
