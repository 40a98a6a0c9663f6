using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.Sorting;
using Ingest.Tests.Columns;
using Ingest.Tests.Decoding;
using Ingest.V1;
using Comparison = Ingest.Tests.Decoding.Comparison;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Ingest.Tests.Stores.Sorting;

/// <summary>Segments put in order, read back by a reader that shares nothing with what orders them.</summary>
public sealed class SegmentSortTests : IDisposable
{
    private const long Second = 1_700_000_000;

    private static readonly int s_cases =
        int.TryParse(Environment.GetEnvironmentVariable("INGEST_FUZZ_CASES"), out int cases) ? cases : 300;

    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-sort-").FullName;

    public static TheoryData<string> Names => Tables.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_type_of_column_keeps_its_values_and_the_rows_are_in_order(string name)
    {
        var table = TableSchema.FromDescriptor(Tables.Of(name));
        var (decoder, choices) = (new RowDecoder(table), Choices.From(new Random(5)));
        var blocks = new List<byte[]>();
        foreach (int rows in new[] { 150, 1, 260 })
        {
            var batch = new Batch(table);
            while (batch.RowCount < rows)
            {
                byte[] row = new MessageMaker(choices).Make(table.Message).ToByteArray();
                Assert.NotEqual(RowResult.Malformed, decoder.TryAppend(row, batch, Comparison.Now, out _));
            }

            blocks.Add(Blocks.Encode(batch, $"producer-{rows}"));
        }

        AssertSorted(Ordered(table), blocks);
    }

    [Theory]
    [InlineData(1, 0)] // Times go on.
    [InlineData(40, 0)]
    [InlineData(40, 3)] // Some have overtaken others.
    [InlineData(40, 2_000)] // They come in any order.
    [InlineData(3_000, 0)] // Two dictionaries that need wider indexes than each block's own.
    public void Rows_of_a_driver_are_in_the_order_of_their_times(int drivers, int jitter)
    {
        TableSchema table = TableSchema.FromDescriptor(GpsPoint.Descriptor);
        var (decoder, random) = (new RowDecoder(table), new Random(7));
        var blocks = new List<byte[]>();
        for (int block = 0, at = 0; block < 4; block++)
        {
            var batch = new Batch(table);
            for (int i = 0; i < 1_500; i++, at++)
            {
                int driver = at * 7 % drivers;
                byte[] row = new GpsPoint
                {
                    DriverId = $"driver {driver}", OrderId = driver % 3 == 0 ? "" : $"order {at}",
                    Location = new Location { Lat = at % 90, Lon = -at % 180 }, ZoneType = $"zone {at % 700}",
                    Timestamp = new Timestamp { Seconds = Second + at + random.Next(jitter + 1) - jitter },
                    AnomalyFlags = { Enumerable.Range(0, at % 4).Select(n => $"flag {(at + n) % 300}") },
                }.ToByteArray();
                Assert.Equal(RowResult.Accepted, decoder.TryAppend(row, batch, Comparison.Now, out _));
            }

            blocks.Add(Blocks.Encode(batch));
        }

        AssertSorted(table, blocks);
    }

    [Fact]
    public void Keys_of_two_texts_and_a_time_decide_in_their_order()
    {
        TableSchema table = TableSchema.FromDescriptor(Event.Descriptor);
        Assert.Equal(["event_type", "entity_id", "timestamp"], table.OrderBy);
        var decoder = new RowDecoder(table);
        var batch = new Batch(table);
        for (int i = 0; i < 4_000; i++)
        {
            byte[] row = new Event
            {
                EventId = $"event {i}", EventType = $"type {i % 11 % 4}", EntityType = "order", EntityId = $"{i % 13}",
                Timestamp = new Timestamp { Seconds = Second + (i % 50) },
            }.ToByteArray();
            Assert.Equal(RowResult.Accepted, decoder.TryAppend(row, batch, Comparison.Now, out _));
        }

        AssertSorted(table, [Blocks.Encode(batch)]);
    }

    [Fact]
    public void Keys_of_a_dictionary_that_no_row_has_do_not_get_in_the_way_of_three_texts()
    {
        const int Keys = 500;
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write7BitEncodedInt(3);
        writer.Write7BitEncodedInt(2);
        writer.Write("a");
        writer.Write("LowCardinality(String)");
        writer.Write(1UL);
        writer.Write((1UL << 9) | 1UL);
        writer.Write((ulong)Keys);
        for (int i = 0; i < Keys; i++)
        {
            writer.Write($"{i}");
        }

        writer.Write(2UL);
        writer.Write((ushort)(Keys - 1));
        writer.Write((ushort)(Keys - 2));
        foreach (string name in new[] { "b", "c" })
        {
            writer.Write(name);
            writer.Write("String");
            writer.Write("");
            writer.Write("x");
        }

        AssertSorted(WithOrder(SegmentFile.Table("three_texts"), ["a", "b", "c"]), [bytes.ToArray()]);
    }

    [Fact]
    public void Random_segments_of_random_tables_are_ordered_as_a_model_orders_them()
    {
        int seed = Random.Shared.Next();
        var (choices, sort, ordered) = (Choices.From(new Random(seed)), new SegmentSort(leastRows: 1), 0);
        for (int i = 0; i < s_cases; i++)
        {
            var random = new RandomSegment(choices);
            try
            {
                bool isSorted = Check(sort, random.Table, random.Blocks);
                Assert.Equal(random.IsOrderable && random.Blocks.Any(b => NativeBlockReader.Read(b).Rows > 0), isSorted);
                ordered += isSorted ? 1 : 0;
            }
            catch (Exception e)
            {
                string order = string.Join(", ", random.Table.OrderBy);
                throw new InvalidOperationException($"seed {seed}, case {i}, ORDER BY {order}: {e}", e);
            }
        }

        Assert.InRange(ordered, s_cases / 3, s_cases);
    }

    [Fact]
    public void Shrunk_segments_are_ordered_as_a_model_orders_them()
    {
        var numbers = Gen.ArrayOf(Gen.Choose(0, int.MaxValue)).Resize(600);
        Prop.ForAll(
            Arb.From(numbers, draws => Enumerable.Range(1, 6).Select(n => draws[..(draws.Length * n / 7)])),
            draws =>
            {
                var random = new RandomSegment(Choices.From(draws));
                bool isSorted = Check(new SegmentSort(leastRows: 1), random.Table, random.Blocks);
                Assert.Equal(random.IsOrderable && random.Blocks.Any(b => NativeBlockReader.Read(b).Rows > 0), isSorted);
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(s_cases / 10));
    }

    [Fact]
    public void The_same_segment_gives_the_same_bytes_whatever_was_sorted_before()
    {
        TableSchema table = SegmentFile.Table("sorted_again");
        SealedSegment segment = SegmentFile.Write(_directory, table, SegmentFile.Id(1), [700, 1_900]);
        var sort = new SegmentSort(leastRows: 1);
        byte[] first = Sort(sort, segment)!;
        Assert.NotNull(Sort(sort, SegmentFile.Write(_directory, table, SegmentFile.Id(2), [3_000, 17])));
        Assert.Equal(first, Sort(sort, segment));
        Assert.Equal(first, Sort(new SegmentSort(leastRows: 1), segment));
    }

    [Fact]
    public void A_block_that_is_longer_than_what_is_read_at_once_is_read_whole()
    {
        TableSchema table = SegmentFile.Table("sorted_long");
        SealedSegment segment = SegmentFile.Write(_directory, table, SegmentFile.Id(1), [400_000, 5]);
        NativeBlock sorted = NativeBlockReader.Read(Sort(new SegmentSort(), segment)!);
        Assert.Equal(400_005, sorted.Rows);
        Assert.Equal(400_005, sorted["id"].Values.Distinct().Count());
    }

    [Fact]
    public void Orders_of_another_kind_and_small_segments_are_left_as_they_are()
    {
        TableSchema table = SegmentFile.Table("left");
        SealedSegment segment = SegmentFile.Write(_directory, table, SegmentFile.Id(1), [100]);
        Assert.Null(Sort(new SegmentSort(), segment));
        foreach (string[] order in new[] { ["id", "label"], ["id"], new[] { "segment_id" } })
        {
            SealedSegment other = segment with { Table = WithOrder(table, order) };
            Assert.Null(Sort(new SegmentSort(leastRows: 1), other));
        }
    }

    [Fact]
    public void Bytes_that_are_not_what_was_written_are_never_an_exception()
    {
        TableSchema table = TableSchema.FromDescriptor(GpsPoint.Descriptor);
        var (decoder, batch, random) = (new RowDecoder(table), new Batch(table), new Random(3));
        for (int i = 0; i < 60; i++)
        {
            byte[] row = new GpsPoint
            {
                DriverId = $"{i % 7}", Location = new Location { Lat = i }, AnomalyFlags = { "a", $"{i}" },
                Timestamp = new Timestamp { Seconds = Second + i },
            }.ToByteArray();
            Assert.Equal(RowResult.Accepted, decoder.TryAppend(row, batch, Comparison.Now, out _));
        }

        byte[] good = Blocks.Encode(batch);
        var sort = new SegmentSort(leastRows: 1);
        int refused = 0;
        for (int i = 0; i < 1_500; i++)
        {
            byte[] bytes = [.. good];
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            int length = i % 3 == 0 ? random.Next(1, bytes.Length) : bytes.Length;
            refused += Sort(sort, WriteFile(table, [bytes[..length]], 60)) is null ? 1 : 0;
        }

        Assert.InRange(refused, 500, 1_499);
        Assert.NotNull(Sort(sort, WriteFile(table, [good], 60)));
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private void AssertSorted(TableSchema table, List<byte[]> blocks) =>
        Assert.True(Check(new SegmentSort(leastRows: 1), table, blocks));

    // Whether the rows were put in order; then that they are the rows, and in order.
    private bool Check(SegmentSort sort, TableSchema table, List<byte[]> blocks)
    {
        List<NativeBlock> before = [.. blocks.Select(NativeBlockReader.Read)];
        SealedSegment segment = WriteFile(table, blocks, before.Sum(block => block.Rows));
        if (Sort(sort, segment) is not { } bytes)
        {
            return false;
        }

        NativeBlock sorted = NativeBlockReader.Read(bytes);
        Assert.Equal(before[0].Columns.Select(c => (c.Name, c.Type)), sorted.Columns.Select(c => (c.Name, c.Type)));
        Assert.Equal(RowTexts(before).Order(StringComparer.Ordinal), RowTexts([sorted]).Order(StringComparer.Ordinal));
        string[] keys = [.. table.OrderBy.Where(key => key is not ("received_at" or "segment_id"))];
        for (int i = 1; i < sorted.Rows; i++)
        {
            int order = keys.Select(key => Compare(sorted[key].Values[i - 1]!, sorted[key].Values[i]!))
                .FirstOrDefault(one => one != 0);
            Assert.True(order <= 0, $"row {i}");
        }

        return true;
    }

    private static int Compare(object one, object other) => one is byte[] text
        ? text.AsSpan().SequenceCompareTo((byte[])other)
        : ((IComparable)one).CompareTo(other);

    private static IEnumerable<string> RowTexts(IEnumerable<NativeBlock> blocks) =>
        blocks.SelectMany(block => Enumerable.Range(0, block.Rows).Select(row => string.Join(
            '|', block.Columns.Select(c => $"{c.Name}={CellText.Of(c.Values[row])}"))));

    private static byte[]? Sort(SegmentSort sort, SealedSegment segment)
    {
        using SegmentReader file = SegmentReader.Open(segment);
        using var written = new MemoryStream();
        var pieces = new PieceWriter(new byte[1000], piece =>
        {
            written.Write(piece);
            return true;
        });
        return sort.TryOrder(segment, file) && sort.TryWrite(file, pieces) ? written.ToArray() : null;
    }

    // Of any table: its first column of text, or who sent the rows, then its first of whole numbers or times.
    private static TableSchema Ordered(TableSchema table)
    {
        ColumnSchema[] columns = [.. table.Columns.Where(c => c.IsInserted && c.Name != "segment_id")];
        return WithOrder(table, [
            columns.First(c => c.NativeType is "String" or "LowCardinality(String)").Name,
            .. columns.Where(c => c.NativeType is "Int64" or "UInt64" or "Int32" or "UInt32"
                    || c.NativeType.StartsWith("DateTime64", StringComparison.Ordinal))
                .Select(c => c.Name).Take(1),
        ]);
    }

    private static TableSchema WithOrder(TableSchema table, string[] order) =>
        new(table.Name, table.Message, table.Columns, order, table.PartitionBy, table.TtlDays);

    private SealedSegment WriteFile(TableSchema table, List<byte[]> blocks, long rows)
    {
        string path = Path.Combine(_directory, "blocks.native");
        byte[] bytes = [.. blocks.SelectMany(block => block)];
        File.WriteAllBytes(path, bytes);
        return new SealedSegment(table, SegmentFile.Id(1), path, bytes.Length, rows, "token", Recovered: false);
    }
}
