using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.Tests.Columns;
using Ingest.V1;

namespace Ingest.Tests.Decoding;

public sealed class RowProgramTests
{
    public static TheoryData<string> Names => Tables.Names;

    [Theory]
    [InlineData(nameof(GpsPoint), true)]
    [InlineData(nameof(Order), true)]
    [InlineData(nameof(Event), true)]
    [InlineData(nameof(MetricSample), false)]
    public void Code_is_emitted_for_tables_of_plain_fields(string table, bool isEmitted) =>
        Assert.Equal(isEmitted, new RowDecoder(TableSchema.FromDescriptor(Tables.Of(table))).HasProgram);

    [Theory]
    [InlineData(nameof(GpsPoint))]
    [InlineData(nameof(Order))]
    [InlineData(nameof(Event))]
    public void Rows_that_a_library_has_written_are_not_declined(string name)
    {
        var table = TableSchema.FromDescriptor(Tables.Of(name));
        var (decoder, batch) = (new RowDecoder(table), new Batch(table));
        foreach (var row in Rows.Of(name, 100))
        {
            Assert.Equal(RowResult.Accepted, decoder.TryAppend(row, batch, Rows.Now, out _));
            Assert.Equal(0, batch.Declined);
        }
    }

    [Fact]
    public void Rows_in_another_order_are_taken_and_tried_no_more()
    {
        var table = TableSchema.FromDescriptor(GpsPoint.Descriptor);
        var (decoder, batch) = (new RowDecoder(table), new Batch(table));
        var row = Rows.Point().ToByteArray();
        byte[] reordered = [.. new GpsPoint { SpeedKph = 7 }.ToByteArray(), .. row];
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(RowResult.Accepted, decoder.TryAppend(reordered, batch, Rows.Now, out _));
        }

        Assert.InRange(batch.Declined, 1, 99);
        Assert.Equal(100, batch.RowCount);
    }

    /// <summary>
    /// Random rows, one after the other in one batch, declined ones between them: block and faults are those of the
    /// interpreter.
    /// </summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void The_block_is_the_one_that_the_interpreter_makes(string name)
    {
        var seed = Random.Shared.Next();
        var choices = Choices.From(new Random(seed));
        var table = TableSchema.FromDescriptor(Tables.Of(name));
        var (emitted, interpreted) = (new RowDecoder(table), new RowDecoder(table, emitsCode: false));
        var (left, right) = (new Batch(table), new Batch(table));
        var mutator = new WireMutator(choices);
        for (var i = 0; i < 2000; i++)
        {
            var message = new MessageMaker(choices).Make(table.Message);

            // Three in four as a library writes them, so that the program is never given up.
            var row = i % 4 == 3 ? mutator.Mutate(message) : message.ToByteArray();
            left.Declined = 0;
            var result = emitted.TryAppend(row, left, Comparison.Now, out var fault);
            Assert.True(
                (result, fault) == (interpreted.TryAppend(row, right, Comparison.Now, out var expected), expected),
                $"seed {seed}, row {i}: {result} {fault}");
        }

        Assert.True(left.RowCount > 0, $"seed {seed}: no row was taken");
        Assert.True(Blocks.Encode(left).AsSpan().SequenceEqual(Blocks.Encode(right)), $"seed {seed}");
    }
}
