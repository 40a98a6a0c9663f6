using System.Text.RegularExpressions;
using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.Tests.Columns;

namespace Ingest.Tests.Decoding;

/// <summary>A row that is made a message again has the columns that it had.</summary>
public sealed class RowEncoderTests
{
    private const int Rows = 60;

    public static TheoryData<string> Names => Tables.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void A_message_made_of_columns_has_the_same_columns(string name)
    {
        var table = TableSchema.FromDescriptor(Tables.Of(name));
        var (decoder, batch) = (new RowDecoder(table), new Batch(table));
        var choices = Choices.From(new Random(31));
        while (batch.RowCount < Rows)
        {
            decoder.TryAppend(new MessageMaker(choices).Make(table.Message).ToByteArray(), batch, Comparison.Now, out _);
        }

        byte[] bytes = Blocks.Encode(batch);
        var (content, encoder, again) = (BlockContent.Read(bytes), new RowEncoder(table), new Batch(table));
        for (int row = 0; row < Rows; row++)
        {
            Assert.True(encoder.TryEncode(content, row, out byte[]? message), $"row {row} has no message");
            Assert.Equal(RowResult.Accepted, decoder.TryAppend(message, again, Comparison.Now, out _));
        }

        foreach (var (expected, column) in NativeBlockReader.Read(bytes).Columns.Zip(Blocks.Read(again).Columns))
        {
            for (int row = 0; row < Rows; row++)
            {
                Assert.Equal($"{row} {Text(expected.Values[row])}", $"{row} {Text(column.Values[row])}");
            }
        }
    }

    // A field of type NullValue has one value, and JSON says it as it says that there is none.
    private static string Text(object? value) =>
        Regex.Replace(CellText.Of(value), @",""null"":null|(?<=[{])""null"":null,?", "");
}
