using System.Globalization;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.Embedded;

namespace Ingest.Tests.Stores;

[Collection(EngineCollection.Name)]
public sealed class EmbeddedInsertTests(EngineFixture engine)
{
    [SkippableTheory]
    [InlineData(1, 1)]
    [InlineData(500, 3)]
    [InlineData(123, 8_131)]
    [InlineData(1, 1_000_000)]
    public async Task A_segment_becomes_one_part(int blocks, int rowsEach)
    {
        EmbeddedStore store = engine.Store;
        TableSchema table = SegmentFile.Table($"one_part_{blocks}_{rowsEach}");
        await store.EnsureTableAsync(table, default);
        SealedSegment segment = SegmentFile.Write(
            engine.Directory, table, SegmentFile.Id(1), Enumerable.Repeat(rowsEach, blocks).ToArray());

        await store.InsertAsync(segment, default);

        long rows = (long)blocks * rowsEach;
        Assert.Equal(
            $"{rows}\t{rows}\t0\t{rows - 1}\t1\n",
            await store.TextAsync(
                $"SELECT count(), uniqExact(id), min(id), max(id), uniqExact(segment_id) FROM {table.Name}"));
        Assert.Equal(
            $"1\t0\t{rows}\n",
            await store.TextAsync(
                $"SELECT count(), max(level), sum(rows) FROM system.parts WHERE table = '{table.Name}' AND active"));
        Assert.Equal(rows, await store.CountRowsAsync(table, segment.SegmentId, default));
        Assert.Equal(0, await store.CountRowsAsync(table, SegmentFile.Id(2), default));
    }

    [SkippableFact]
    public async Task The_engine_finds_the_rows_of_a_segment_in_order_already()
    {
        EmbeddedStore store = engine.Store;
        TableSchema table = SegmentFile.Table("in_order");
        await store.EnsureTableAsync(table, default);
        const string Sorted =
            "SELECT sum(value) FROM system.events WHERE event = 'MergeTreeDataWriterBlocksAlreadySorted'";
        int before = int.Parse(await store.TextAsync(Sorted), CultureInfo.InvariantCulture);

        // Labels take turns, so that the log's order is not the table's.
        await store.InsertAsync(
            SegmentFile.Write(engine.Directory, table, SegmentFile.Id(1), [3_000, 2_000]), default);

        Assert.Equal(before + 1, int.Parse(await store.TextAsync(Sorted), CultureInfo.InvariantCulture));
        Assert.Equal(
            "5000\t5000\t12497500\t1\n",
            await store.TextAsync(
                $"SELECT count(), uniqExact(id), sum(id), min(label = concat('label ', toString(id % 100))) FROM {table.Name}"));
    }

    [SkippableFact]
    public async Task Received_at_follows_from_the_segment_id()
    {
        EmbeddedStore store = engine.Store;
        TableSchema table = SegmentFile.Table("received_at_default");
        await store.EnsureTableAsync(table, default);
        await store.InsertAsync(SegmentFile.Write(engine.Directory, table, SegmentFile.Id(77), [2]), default);
        Assert.Equal("2026-11-21 00:00:00.000\n", await store.TextAsync($"SELECT DISTINCT received_at FROM {table.Name}"));
    }

    [SkippableFact]
    public async Task A_token_is_taken_once_and_a_new_one_again()
    {
        EmbeddedStore store = engine.Store;
        TableSchema table = SegmentFile.Table("token_once");
        await store.EnsureTableAsync(table, default);
        SealedSegment segment = SegmentFile.Write(engine.Directory, table, SegmentFile.Id(1), [10]);

        await store.InsertAsync(segment, default);
        await store.InsertAsync(segment, default);
        Assert.Equal(10, await store.CountRowsAsync(table, segment.SegmentId, default));

        await store.InsertAsync(segment with { Token = "another" }, default);
        Assert.Equal(20, await store.CountRowsAsync(table, segment.SegmentId, default));
    }

    [SkippableFact]
    public async Task A_segment_that_breaks_off_leaves_nothing_and_is_bad_data()
    {
        EmbeddedStore store = engine.Store;
        TableSchema table = SegmentFile.Table("broken_off");
        await store.EnsureTableAsync(table, default);
        SealedSegment whole = SegmentFile.Write(engine.Directory, table, SegmentFile.Id(1), [5_000, 5_000, 5_000]);
        using (FileStream file = File.OpenWrite(whole.Path))
        {
            file.SetLength(whole.Length - 7);
        }

        StoreException fault = await Assert.ThrowsAsync<StoreException>(
            () => store.InsertAsync(whole with { Length = whole.Length - 7 }, default));
        Assert.Equal(StoreFault.BadData, fault.Fault);
        Assert.Equal("0\n", await store.TextAsync($"SELECT count() FROM {table.Name}"));

        // The same connection goes on.
        SealedSegment next = SegmentFile.Write(engine.Directory, table, SegmentFile.Id(2), [5]);
        await store.InsertAsync(next, default);
        Assert.Equal(5, await store.CountRowsAsync(table, next.SegmentId, default));
    }

    [SkippableFact]
    public async Task Bytes_that_are_no_block_are_bad_data()
    {
        EmbeddedStore store = engine.Store;
        TableSchema table = SegmentFile.Table("no_block");
        await store.EnsureTableAsync(table, default);
        SealedSegment segment = SegmentFile.Write(engine.Directory, table, SegmentFile.Id(1), [1_000, 1_000]);
        byte[] bytes = await File.ReadAllBytesAsync(segment.Path);
        bytes.AsSpan(bytes.Length / 2, 64).Fill(0xFF);
        await File.WriteAllBytesAsync(segment.Path, bytes);

        StoreException fault = await Assert.ThrowsAsync<StoreException>(() => store.InsertAsync(segment, default));
        Assert.True(fault.Fault == StoreFault.BadData, fault.Message);
        Assert.Equal("0\n", await store.TextAsync($"SELECT count() FROM {table.Name}"));
    }

    [SkippableFact]
    public async Task An_insert_that_is_cancelled_leaves_nothing()
    {
        EmbeddedStore store = engine.Store;
        TableSchema table = SegmentFile.Table("cancelled");
        await store.EnsureTableAsync(table, default);
        SealedSegment segment = SegmentFile.Write(engine.Directory, table, SegmentFile.Id(1), [100_000]);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.InsertAsync(segment, cancelled.Token));
        Assert.Equal("0\n", await store.TextAsync($"SELECT count() FROM {table.Name}"));
    }

    [SkippableFact]
    public async Task An_insert_into_no_table_is_worth_another_try()
    {
        EmbeddedStore store = engine.Store;
        SealedSegment segment = SegmentFile.Write(
            engine.Directory, SegmentFile.Table("no_such_table"), SegmentFile.Id(1), [1]);
        StoreException fault = await Assert.ThrowsAsync<StoreException>(() => store.InsertAsync(segment, default));
        Assert.Equal(StoreFault.Unavailable, fault.Fault);
        Assert.Contains("no_such_table", fault.Message, StringComparison.Ordinal);
    }
}
