using System.Threading.Channels;
using Ingest.Log;
using Ingest.Stores;
using Ingest.Stores.Embedded;
using Ingest.Tests.Log;
using Ingest.V1;

namespace Ingest.Tests.Stores.Poison;

/// <summary>Segments that the real engine refuses for a row: every good row lands once, every bad one is told.</summary>
[Collection(EngineCollection.Name)]
public sealed class SegmentBisectionTests(EngineFixture engine)
{
    [SkippableTheory]
    [InlineData(1, 1, new[] { 0 })]
    [InlineData(1, 100, new[] { 0 })]
    [InlineData(1, 100, new[] { 99 })]
    [InlineData(5, 40, new[] { 40, 41, 199 })]
    [InlineData(7, 300, new[] { 0, 299, 300, 1234, 2099 })]
    public async Task Good_rows_land_once_and_bad_ones_are_dead_letters(int blocks, int rowsEach, int[] bad)
    {
        EmbeddedStore store = engine.Store;
        using var table = new PoisonedTable(engine);
        await store.EnsureTableAsync(table.Schema, default);
        table.Forbid();
        SealedSegment segment = await table.WriteAsync(blocks, rowsEach, bad);
        StoreWriterStatus status = await table.StoreAsync(store, 500, segment);

        Assert.Equal(PoisonedTable.Summary(blocks * rowsEach, bad), await table.SummaryAsync(store));
        Assert.Equal(bad, await table.LettersAsync(store));
        Assert.Equal((bad.Length, 0L, 0), (status.DeadLetters, status.Quarantined, status.WaitingSegments));
        Assert.Equal(["producers"], Directory.GetFiles(table.LogPath).Select(Path.GetFileName));
    }

    [SkippableFact]
    public async Task Where_a_piece_can_land_in_part_rows_are_told_by_their_numbers()
    {
        EmbeddedStore store = engine.Store;
        using var table = new PoisonedTable(engine, "toUInt64OrZero(order_id) % 4");
        await store.EnsureTableAsync(table.Schema, default);
        SealedSegment segment = await table.WriteAsync(3, 100, 150, 201);

        // What a power loss may leave: some partitions. One of the bad rows is in one of them.
        await store.InsertAsync(segment, default);
        table.Run(
            $"ALTER TABLE {table.Schema.Name} DELETE WHERE toUInt64OrZero(order_id) % 4 IN (0, 2) SETTINGS mutations_sync = 2");
        table.Forbid();
        StoreWriterStatus status = await table.StoreAsync(store, 500, segment with { Recovered = true });

        Assert.Equal(PoisonedTable.Summary(300, 150), await table.SummaryAsync(store));
        int[] letters = await table.LettersAsync(store);
        Assert.Equal([150], letters);
        Assert.Equal((1L, 0L), (status.DeadLetters, status.Quarantined));
    }

    [SkippableFact]
    public async Task A_dead_letter_says_all_that_is_known_of_its_row()
    {
        EmbeddedStore store = engine.Store;
        using var table = new PoisonedTable(engine);
        await store.EnsureTableAsync(table.Schema, default);
        table.Forbid();
        SealedSegment segment = await table.WriteAsync(2, 50, 61);
        await table.StoreAsync(store, 500, segment);

        string[] letter = (await store.TextAsync(
            "SELECT producer_id, producer_offset, segment_id, base64Encode(row), reason FROM dead_letters "
            + $"WHERE table = '{table.Schema.Name}'")).TrimEnd('\n').Split('\t');
        Assert.Equal(["van", "61", $"{segment.SegmentId}"], letter[..3]);
        Assert.StartsWith("REFUSED_BY_STORE: Code: 469. DB::Exception: Constraint", letter[4], StringComparison.Ordinal);
        GpsPoint point = GpsPoint.Parser.ParseFrom(Convert.FromBase64String(letter[3]));
        GpsPoint expected = Decoding.Rows.Point(61);
        (expected.OrderId, expected.SpeedKph, expected.ZoneType) = ("61", 150, "racetrack");
        Assert.Equal(expected, point);
    }

    [SkippableFact]
    public async Task Too_many_bad_rows_are_set_aside_with_the_good_ones_beside_them_and_the_rest_lands()
    {
        EmbeddedStore store = engine.Store;
        using var table = new PoisonedTable(engine);
        await store.EnsureTableAsync(table.Schema, default);
        table.Forbid();
        int[] bad = [.. Enumerable.Range(0, 200).Select(i => i * 5)];
        SealedSegment segment = await table.WriteAsync(4, 500, bad);
        StoreWriterStatus status = await table.StoreAsync(store, 40, segment);

        // The second half of the rows is good; of the first, 40 inserts find little.
        string[] counts = (await table.SummaryAsync(store)).Split('\t');
        Assert.InRange(int.Parse(counts[0], System.Globalization.CultureInfo.InvariantCulture), 1000, 1800);
        Assert.Equal(counts[0], counts[1]);
        Assert.Equal((0L, 1L), (status.DeadLetters, status.Quarantined));
        string kept = Assert.Single(Directory.GetFiles(table.Quarantine, "*.native"));
        Assert.EndsWith($"{segment.SegmentId}-refused.native", kept, StringComparison.Ordinal);
        Assert.Contains("Constraint", await File.ReadAllTextAsync(Path.ChangeExtension(kept, ".reason")), StringComparison.Ordinal);
        SegmentScan scan = SegmentScan.Run(
            DiskFiles.Instance, new SegmentFiles(Path.GetDirectoryName(kept)!, segment.SegmentId, 0)
            {
                ForeignName = Path.GetFileNameWithoutExtension(kept),
            });
        Assert.False(scan.IsDamaged);
        Assert.Equal(2000, scan.Rows + int.Parse(counts[0], System.Globalization.CultureInfo.InvariantCulture));
    }

    [SkippableFact]
    public async Task When_nothing_lands_the_search_ends_early_and_all_is_set_aside()
    {
        EmbeddedStore store = engine.Store;
        using var table = new PoisonedTable(engine);
        await store.EnsureTableAsync(table.Schema, default);
        table.Run($"ALTER TABLE {table.Schema.Name} ADD CONSTRAINT never CHECK speed_kph < 0");
        SealedSegment segment = await table.WriteAsync(1, 3000);
        var counting = new CutStore(store, 70, afterwards: false);
        StoreWriterStatus status = await table.StoreAsync(counting, 500, segment);

        Assert.False(counting.Dead.Task.IsCompleted);
        Assert.Equal((0L, 0L, 1L), (status.Rows, status.DeadLetters, status.Quarantined));
        Assert.Empty(await table.LettersAsync(store));
    }

    [SkippableFact]
    public async Task A_column_whose_type_was_changed_is_poison_for_the_rows_that_do_not_fit()
    {
        EmbeddedStore store = engine.Store;
        using var table = new PoisonedTable(engine);
        var segments = Channel.CreateUnbounded<SealedSegment>();
        await using StoreWriter writer = table.NewWriter(store, segments.Reader);
        writer.Start();
        await segments.Writer.WriteAsync(await table.WriteAsync(1, 64));
        await Eventually.BeAsync(() => writer.Status.Rows == 64);

        table.Run($"ALTER TABLE {table.Schema.Name} MODIFY COLUMN zone_type Enum8('business_district' = 1)");
        await segments.Writer.WriteAsync(await table.WriteAsync(1, 64, 9, 33));
        await Eventually.BeAsync(() => writer.Status.WaitingSegments == 0 && writer.Status.Rows > 64);
        Assert.Equal((126L, 2L, 0L), (writer.Status.Rows, writer.Status.DeadLetters, writer.Status.Quarantined));
        int[] letters = await table.LettersAsync(store);
        Assert.Equal([9, 33], letters);
    }

    /// <summary>The client dies at every insert of the search, before and after it, and the next run goes on.</summary>
    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_kill_at_any_insert_loses_nothing_and_repeats_nothing(bool afterwards)
    {
        EmbeddedStore store = engine.Store;
        int[] bad = [3, 17];
        for (int insert = 1; ; insert++)
        {
            using var table = new PoisonedTable(engine);
            await store.EnsureTableAsync(table.Schema, default);
            table.Forbid();
            // Tokens are forgotten: what counts is what was written down.
            table.Run($"ALTER TABLE {table.Schema.Name} MODIFY SETTING non_replicated_deduplication_window = 0");
            SealedSegment segment = await table.WriteAsync(3, 8, bad);
            var cut = new CutStore(store, insert, afterwards);
            var segments = Channel.CreateUnbounded<SealedSegment>();
            await segments.Writer.WriteAsync(segment);
            segments.Writer.Complete();
            await using (StoreWriter writer = table.NewWriter(cut, segments.Reader))
            {
                writer.Start();
                Task whole = writer.StopAsync(TimeSpan.FromSeconds(60));
                if (await Task.WhenAny(cut.Dead.Task, whole) == whole)
                {
                    Assert.True(insert > 12, $"the search took {insert - 1} inserts only");
                    break;
                }

                await writer.StopAsync(TimeSpan.Zero);
            }

            List<SealedSegment> left = await table.RecoverAsync();
            await table.StoreAsync(store, 500, [.. left]);
            Assert.Equal(PoisonedTable.Summary(24, bad), await table.SummaryAsync(store));
            Assert.Equal(bad, await table.LettersAsync(store));
            Assert.False(Directory.Exists(table.Quarantine), $"insert {insert}: something was set aside");
        }
    }
}
