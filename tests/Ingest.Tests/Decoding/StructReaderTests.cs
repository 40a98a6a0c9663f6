using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.Tests.Columns;
using Ingest.V1;

namespace Ingest.Tests.Decoding;

/// <summary>Structs read in one pass, held to what the interpreter makes of the same bytes.</summary>
public sealed class StructReaderTests
{
    private readonly RowDecoder _emitted = new(TableSchema.FromDescriptor(Event.Descriptor));
    private readonly RowDecoder _interpreted = new(TableSchema.FromDescriptor(Event.Descriptor), emitsCode: false);
    private readonly Batch _left = new(TableSchema.FromDescriptor(Event.Descriptor));
    private readonly Batch _right = new(TableSchema.FromDescriptor(Event.Descriptor));

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{ "a": { "b": { "c": {} } }, "d": { "b": { "c": 1 } } }""")]
    [InlineData("""{ "a.b": 1, "a": { "b": 2 } }""")]
    [InlineData("""{ "same": { "x": 1 }, "other": { "x": 1, "same": [ { "x": 1 }, { "x": 2 } ] } }""")]
    [InlineData("""{ "list": [ [], [ [ null ] ], {}, { "k": [ 1e300, -0.5 ], "l": "" }, true, false, "" ] }""")]
    [InlineData("""{ "list": [ "São Paulo", "\"", "\\", "\u0001", "😀 and more than thirty-two bytes of it", "\u007f" ] }""")]
    [InlineData("""{ "a name of more than thirty-two bytes, which are two": [ { "a\"b": 1, "é": 2 } ] }""")]
    [InlineData("""{ "number": 1e15, "small": 1e-7, "third": 0.3333333333333333, "zero": -0.0, "null": null }""")]
    public void A_struct_is_read_in_one_pass_and_as_the_interpreter_reads_it(string json)
    {
        for (var i = 0; i < 3; i++)
        {
            var row = Rows.Event(i);
            row.Properties = Struct.Parser.ParseJson(json);
            AssertTaken(row.ToByteArray());
        }

        AssertSameBlocks();
    }

    [Fact]
    public void Numbers_that_JSON_does_not_know_are_text_in_a_list()
    {
        var numbers = Value.ForList(
            Value.ForNumber(double.NaN), Value.ForNumber(double.PositiveInfinity), Value.ForNumber(double.NegativeInfinity));
        var row = Rows.Event();
        row.Properties = new Struct { Fields = { ["list"] = numbers, ["number"] = Value.ForNumber(double.NaN) } };
        AssertTaken(row.ToByteArray());
        AssertSameBlocks();
    }

    [Theory]
    [InlineData("no name", "0A0412022001")]
    [InlineData("twice", "0A070A016112022001" + "0A070A016112022000")]
    [InlineData("object twice", "0A0B0A01611206" + "2A040A020A00" + "0A0B0A01611206" + "2A040A020A00")]
    [InlineData("value before name", "0A07" + "12022001" + "0A0161")]
    [InlineData("no value", "0A030A0161")]
    [InlineData("empty value", "0A050A01611200")]
    [InlineData("two kinds", "0A090A01611204" + "20010800")]
    [InlineData("unknown field", "0A070A01611202" + "2001" + "1001")]
    [InlineData("bool of two bytes", "0A080A0161120320" + "8101")]
    [InlineData("name that is no text", "0A070A01FF12022001")]
    [InlineData("text that is none", "0A080A016112031A01FF")]
    [InlineData("text in a list that is none", "0A0C0A016112073205" + "0A031A01FF")]
    public void What_no_library_writes_is_left_to_the_interpreter(string what, string properties)
    {
        var row = Rows.Event();
        row.Properties = null;
        var content = Convert.FromHexString(properties);
        byte[] bytes = [.. row.ToByteArray(), (6 << 3) | 2, (byte)content.Length, .. content];
        AssertSame(bytes);
        Assert.True(_left.Declined > 0, what);
        AssertTaken(Rows.Event().ToByteArray());
        AssertSameBlocks();
    }

    [Fact]
    public void Objects_and_lists_that_are_deep_are_left_to_the_interpreter()
    {
        for (var levels = 1; levels <= 35; levels++)
        {
            var (value, list) = (Value.ForBool(true), Value.ForBool(true));
            for (var i = 0; i < levels; i++)
            {
                value = Value.ForStruct(new Struct { Fields = { ["o"] = value } });
                list = Value.ForList(list);
            }

            var row = Rows.Event();
            row.Properties = new Struct { Fields = { ["value"] = value, ["list"] = list } };
            AssertSame(row.ToByteArray());
        }

        AssertSameBlocks();
    }

    /// <summary>A sender whose names are never the same fills what is remembered of names, again and again.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(900)]
    public void Names_without_end_are_read_and_take_no_memory_without_end(int length)
    {
        for (var i = 0; i < 4000; i++)
        {
            var row = Rows.Event(i % 10);
            row.Properties.Fields.Add($"{new string('n', length)}{i % 3000}", Value.ForNumber(i));
            _left.Declined = 0;
            AssertSame(row.ToByteArray());
        }

        var names = ((ArrayColumn)_left.Columns[^1]).Names!;
        Assert.InRange(names.Count, 1, 1024);
        Assert.InRange(names.HeldBytes, 1, 512 * 1024);
        AssertSameBlocks();
    }

    [Fact]
    public void Keys_are_found_again_after_rows_were_taken_back()
    {
        for (var i = 0; i < 200; i++)
        {
            var row = Rows.Event(i);
            row.Properties.Fields.Add($"name {i % 20}", Value.ForString("value"));
            AssertSame(row.ToByteArray());

            // It breaks a rule after its names went into the dictionary.
            row.Properties.Fields.Add($"bad name {i}", Value.ForString(""));
            byte[] bad = [.. row.ToByteArray(), (5 << 3) | 2, 0, 0xff];
            AssertSame(bad);
        }

        AssertSameBlocks();
        _left.Reset();
        _right.Reset();
        AssertTaken(Rows.Event().ToByteArray());
        AssertSameBlocks();
    }

    private void AssertTaken(byte[] row)
    {
        AssertSame(row);
        Assert.Equal(0, _left.Declined);
    }

    private void AssertSame(byte[] row)
    {
        var result = _emitted.TryAppend((byte[])row.Clone(), _left, Rows.Now, out var fault);
        Assert.Equal(_interpreted.TryAppend(row, _right, Rows.Now, out var expected), result);
        Assert.Equal(expected, fault);
    }

    private void AssertSameBlocks() =>
        Assert.True(Blocks.Encode(_left).AsSpan().SequenceEqual(Blocks.Encode(_right)));
}
