using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.Tests.Decoding;

namespace Ingest.Tests.Columns;

/// <summary>Blocks that are read back and cut, held to a reader that shares nothing with them.</summary>
public sealed class BlockContentTests
{
    private const int Rows = 60;

    public static TheoryData<string> Names => Tables.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Any_run_of_rows_has_the_values_that_it_had_in_the_block(string name)
    {
        byte[] bytes = Block(name);
        var whole = NativeBlockReader.Read(bytes);
        var content = BlockContent.Read(bytes);
        Assert.Equal(bytes.Length, content.Length);
        foreach ((int first, int count) in new[] { (0, Rows), (0, 1), (7, 1), (Rows - 1, 1), (13, 29), (5, 0) })
        {
            var part = NativeBlockReader.Read(content.Slice(first, count));
            Assert.Equal(count, part.Rows);
            Assert.Equal(whole.Columns.Select(c => (c.Name, c.Type)), part.Columns.Select(c => (c.Name, c.Type)));
            foreach (var (expected, column) in whole.Columns.Zip(part.Columns))
            {
                Assert.Equal(
                    count == 0 ? [] : expected.Values[first..(first + count)].Select(CellText.Of),
                    column.Values.Select(CellText.Of));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Equal_rows_make_equal_bytes(string name)
    {
        var content = BlockContent.Read(Block(name));
        byte[] half = content.Slice(20, 20);
        Assert.Equal(content.Slice(25, 5), BlockContent.Read(half).Slice(5, 5));
    }

    [Fact]
    public void A_block_can_be_moved_into_another_segment_and_nothing_else_of_it_changes()
    {
        byte[] bytes = Block("GpsPoint");
        var moved = NativeBlockReader.Read(BlockContent.Read(bytes).Move(42));
        foreach (var (column, before) in moved.Columns.Zip(NativeBlockReader.Read(bytes).Columns))
        {
            Assert.Equal(
                column.Name == "segment_id" ? Enumerable.Repeat(CellText.Of(42UL), Rows) : before.Values.Select(CellText.Of),
                column.Values.Select(CellText.Of));
        }
    }

    [Fact]
    public void A_block_that_is_cut_or_spoilt_anywhere_is_refused_or_read_but_never_beyond_its_end()
    {
        byte[] bytes = Block("Event");
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => BlockContent.Read(bytes.AsMemory(0, length)));
        }

        var random = new Random(5);
        for (int i = 0; i < 2_000; i++)
        {
            byte[] spoilt = [.. bytes];
            spoilt[random.Next(spoilt.Length)] = (byte)random.Next(256);
            try
            {
                var content = BlockContent.Read(spoilt);
                Assert.InRange(content.Length, 1, spoilt.Length);
                content.Slice(0, content.Rows);
            }
            catch (InvalidDataException)
            {
                // Said to be no block: what is asked for.
            }
        }
    }

    private static byte[] Block(string name)
    {
        var table = TableSchema.FromDescriptor(Tables.Of(name));
        var (decoder, batch) = (new RowDecoder(table), new Batch(table));
        var choices = Choices.From(new Random(23));
        while (batch.RowCount < Rows)
        {
            decoder.TryAppend(new MessageMaker(choices).Make(table.Message).ToByteArray(), batch, Comparison.Now, out _);
        }

        return Blocks.Encode(batch);
    }
}
