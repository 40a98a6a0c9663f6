using Google.Protobuf;
using Google.Protobuf.Reflection;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.Tests.Columns;
using Ingest.V1;

namespace Ingest.Tests.Decoding;

/// <summary>
/// Gives the same bytes to our decoder and to Google.Protobuf and holds the one to the other: what is accepted, what is
/// rejected and why, every value of every column, and that rows which are not accepted leave no trace.
/// </summary>
internal sealed class Comparison
{
    public const long Now = 1_780_000_000;

    private readonly MessageDescriptor _type;
    private readonly RowDecoder _decoder;
    private readonly Batch _batch;
    private readonly Batch _clean;
    private readonly List<(byte[] Row, ExpectedRow Expected)> _accepted = [];

    public Comparison(MessageDescriptor type, bool emitsCode = true)
    {
        _type = type;
        Table = TableSchema.FromDescriptor(type);
        _decoder = new RowDecoder(Table, emitsCode);
        _batch = new Batch(Table);
        _clean = new Batch(Table);
    }

    public TableSchema Table { get; }

    public int Accepted { get; private set; }

    public int Rejected { get; private set; }

    public int Malformed { get; private set; }

    /// <summary>Inputs on which Google.Protobuf for C# and the specification differ.</summary>
    public int Lenient { get; private set; }

    public void Add(byte[] row)
    {
        var result = _decoder.TryAppend(GuardedBytes.Of(row), _batch, Now, out var fault);
        var message = Parse(row);
        if (message is null)
        {
            Assert.True(result == RowResult.Malformed, $"only we took {Describe(row)}: {result} {fault}");
            Malformed++;
            return;
        }

        var walk = WireWalk.Over(row, _type);
        if (walk.HasLeniency)
        {
            Lenient++;
            Assert.True(result == RowResult.Malformed, $"not the specification: {Describe(row)}");
            return;
        }

        Assert.True(result != RowResult.Malformed, $"we refused {Describe(row)}");
        var expected = new ExpectedRow(message, Now);
        if (result == RowResult.Rejected)
        {
            Rejected++;
            AssertFault(row, fault, walk, expected);
            return;
        }

        Assert.False(walk.HasUnreadableText, $"we took text that is none: {Describe(row)}");
        Assert.True(
            expected.Faults.Count == 0, $"we took {string.Join(",", expected.Faults)} in {Describe(row)}");
        Assert.Equal(RowResult.Accepted, _decoder.TryAppend(row, _clean, Now, out _));
        Accepted++;
        _accepted.Add((row, expected));
    }

    /// <summary>Compares every value of the rows that were accepted since the last time, and returns their block.</summary>
    public byte[] Check()
    {
        var bytes = Blocks.Encode(_batch);
        Assert.True(bytes.AsSpan().SequenceEqual(Blocks.Encode(_clean)), "rows that were not accepted left a trace");
        var block = NativeBlockReader.Read(bytes);
        Assert.Equal(_accepted.Count, block.Rows);
        Assert.Equal(
            Table.Columns.Where(c => c.IsInserted).Select(c => (c.Name, c.NativeType)),
            block.Columns.Select(c => (c.Name, c.Type)));
        for (var row = 0; row < _accepted.Count; row++)
        {
            Assert.Equal(block.Columns.Count, _accepted[row].Expected.Cells.Count + Table.SystemColumnCount);
            foreach (var (cell, column) in _accepted[row].Expected.Cells.Zip(block.Columns))
            {
                Assert.Equal(cell.Column, column.Name);
                var text = CellText.Of(column.Values[row], cell.TextOf ?? CellText.Bytes);
                if (text != cell.Text)
                {
                    Assert.Fail($"{cell.Column}: expected {cell.Text}, was {text}, of {Describe(_accepted[row].Row)}");
                }
            }

            Assert.Equal("'producer'", CellText.Of(block["producer_id"].Values[row], CellText.Bytes));
            Assert.Equal(Blocks.SegmentId, block["segment_id"].Values[row]);
        }

        _batch.Reset();
        _clean.Reset();
        _accepted.Clear();
        return bytes;
    }

    private IMessage? Parse(byte[] row)
    {
        try
        {
            return _type.Parser.ParseFrom(row);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private void AssertFault(byte[] row, RowFault fault, WireWalk walk, ExpectedRow expected)
    {
        var isExpected = fault.Code == RowErrorCode.InvalidUtf8
            ? walk.HasUnreadableText
            : expected.Faults.Contains((fault.Field, fault.Code))
                || (fault.Code == RowErrorCode.TooLong && expected.MayHaveTooManyNames);
        Assert.True(isExpected, $"rejected for {fault}, not {string.Join(",", expected.Faults)}: {Describe(row)}");
        Assert.NotEmpty(fault.Message);
    }

    private string Describe(byte[] row) => $"{_type.Name} {Convert.ToHexString(row)}";
}
