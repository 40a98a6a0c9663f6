using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.Tests.Decoding;
using Ingest.Tests.Protos;

namespace Ingest.Tests.Columns;

public sealed class BatchTests
{
    public static TheoryData<string> Names => Tables.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void A_truncated_batch_is_what_it_was_before_the_rows_came(string name)
    {
        var table = TableSchema.FromDescriptor(Tables.Of(name));
        var decoder = new RowDecoder(table);
        var choices = Choices.From(new Random(7));
        var rows = Enumerable.Range(0, 2000).Select(_ => new MessageMaker(choices).Make(table.Message).ToByteArray())
            .ToList();
        var (batch, fresh) = (new Batch(table), new Batch(table));
        foreach (var kept in new[] { 0, 1, 20, 300 })
        {
            Fill(decoder, batch, rows[..kept]);
            var before = batch.RowCount;
            Fill(decoder, batch, rows[kept..]);
            Assert.True(batch.RowCount > before, "rows came");
            batch.Truncate(before);
            Fill(decoder, batch, rows[^100..]);

            Fill(decoder, fresh, rows[..kept]);
            Fill(decoder, fresh, rows[^100..]);
            Assert.True(Blocks.Encode(batch).AsSpan().SequenceEqual(Blocks.Encode(fresh)), $"{kept} rows kept");
            batch.Reset();
            fresh.Reset();
        }
    }

    [Fact]
    public void An_empty_batch_is_a_block_without_data()
    {
        var table = TableSchema.FromDescriptor(Optionals.Descriptor);
        var block = Blocks.Read(new Batch(table));
        Assert.Equal(0, block.Rows);
        Assert.Equal(table.Columns.Count(c => c.IsInserted), block.Columns.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    public void Dictionaries_of_any_size_are_read_back(int keys)
    {
        var table = TableSchema.FromDescriptor(LowCardinalities.Descriptor);
        var (decoder, batch) = (new RowDecoder(table), new Batch(table));
        for (var i = 0; i < keys; i++)
        {
            // No key of the optional ones is NULL's.
            var row = new LowCardinalities { Text = $"key_{i}" };
            if (i % 2 == 0)
            {
                row.Maybe = i % 4 == 0 ? "" : $"maybe_{i}";
                row.List.Add($"item_{i}");
                row.List.Add("item_0");
            }

            Assert.Equal(RowResult.Accepted, decoder.TryAppend(row.ToByteArray(), batch, Rows.Now, out _));
        }

        var block = Blocks.Read(batch);
        for (var i = 0; i < keys; i++)
        {
            Assert.Equal($"'key_{i}'", CellText.Of(block["text"].Values[i], CellText.Bytes));
            Assert.Equal(
                i % 2 != 0 ? "NULL" : i % 4 == 0 ? "''" : $"'maybe_{i}'",
                CellText.Of(block["maybe"].Values[i], CellText.Bytes));
            Assert.Equal(
                i % 2 == 0 ? $"['item_{i}','item_0']" : "[]", CellText.Of(block["list"].Values[i], CellText.Bytes));
        }
    }

    [Fact]
    public void A_batch_can_be_filled_again_and_again()
    {
        var table = TableSchema.FromDescriptor(Lists.Descriptor);
        var (decoder, batch) = (new RowDecoder(table), new Batch(table));
        var choices = Choices.From(new Random(3));
        var rows = Enumerable.Range(0, 300).Select(_ => new MessageMaker(choices).Make(table.Message).ToByteArray())
            .ToList();
        Fill(decoder, batch, rows);
        var first = Blocks.Encode(batch);
        for (var i = 0; i < 3; i++)
        {
            batch.Reset();
            Fill(decoder, batch, rows);
            Assert.Equal(first, Blocks.Encode(batch));
        }
    }

    private static void Fill(RowDecoder decoder, Batch batch, IEnumerable<byte[]> rows)
    {
        foreach (var row in rows)
        {
            Assert.NotEqual(RowResult.Malformed, decoder.TryAppend(row, batch, Rows.Now, out _));
        }
    }
}
