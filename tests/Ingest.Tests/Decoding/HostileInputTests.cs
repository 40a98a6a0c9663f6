using System.Diagnostics;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.Tests.Protos;
using Ingest.V1;

namespace Ingest.Tests.Decoding;

/// <summary>Rows that are made to be dear: what they cost stays in proportion to their bytes.</summary>
public sealed class HostileInputTests
{
    private const int Many = 100_000;

    // A cost that grows with the square would be 256 times that of a sixteenth, a straight one 16 times; between them
    // there is room for caches and a busy machine.
    private const int Part = 16;
    private const int MostTimesOfAPart = 100;

    [Fact]
    public void Names_in_nested_structs_cannot_blow_up()
    {
        var inner = new Struct();
        for (var i = 0; i < 10_000; i++)
        {
            inner.Fields[i.ToString("x", null)] = Value.ForBool(true);
        }

        var row = Rows.Event();
        row.Properties = new Struct { Fields = { [new string('n', 1000)] = Value.ForStruct(inner) } };
        var (result, fault, batch) = Append(Event.Descriptor, row.ToByteArray());
        Assert.Equal((RowResult.Rejected, RowErrorCode.TooLong), (result, fault.Code));
        Assert.Equal("properties", fault.Field);
        Assert.InRange(batch.HeldBytes, 0, 32L * row.CalculateSize());
    }

    [Fact]
    public void Names_as_long_as_real_ones_are_not_refused()
    {
        var inner = new Struct();
        for (var i = 0; i < 1000; i++)
        {
            inner.Fields[$"k{i}"] = Value.ForNumber(i);
        }

        var row = Rows.Event();
        row.Properties = new Struct { Fields = { ["a_long_name_of_an_object"] = Value.ForStruct(inner) } };
        Assert.Equal(RowResult.Accepted, Append(Event.Descriptor, row.ToByteArray()).Result);
    }

    [Theory]
    [InlineData("equal keys in a map")]
    [InlineData("different keys in a map")]
    [InlineData("equal keys in a struct")]
    [InlineData("different keys in a struct")]
    [InlineData("items of a list of messages")]
    [InlineData("fields of a message in a list")]
    [InlineData("pieces of one message")]
    [InlineData("members of a oneof by turns")]
    [InlineData("values of one string")]
    [InlineData("values of one dictionary")]
    [InlineData("unknown fields")]
    [InlineData("items of a list in a struct")]
    public void Many_of_a_thing_cost_in_proportion(string thing)
    {
        var (type, row) = Make(thing, Many);
        var (_, part) = Make(thing, Many / Part);
        TimeSpan few, many;
        Batch batch;
        var attempts = 0;
        do
        {
            // What grows with the square fails every time; what a busy machine delays does not.
            few = Fastest(type, part, out _);
            many = Fastest(type, row, out batch);
        }
        while (many >= few * MostTimesOfAPart && ++attempts < 10);

        Assert.True(many < few * MostTimesOfAPart, $"{few} for a part, {many} for all");
        Assert.InRange(batch.HeldBytes, 0, 80L * row.Length);
        batch.Reset();
        Assert.InRange(batch.HeldBytes, 0, 8 << 20);
    }

    [Theory]
    [InlineData(nameof(Event))]
    [InlineData(nameof(Tree))]
    [InlineData(nameof(WellKnown))]
    public void Nesting_is_read_as_deep_as_Google_Protobuf_reads_it(string table)
    {
        var accepted = new HashSet<bool>();
        for (var depth = 20; depth < 110; depth++)
        {
            var row = Nested(table, depth);
            var expected = IsTaken(Tables.Of(table), row);
            var (result, _, _) = Append(Tables.Of(table), row);
            Assert.True(expected == (result != RowResult.Malformed), $"depth {depth}: {result}");
            accepted.Add(expected);
        }

        Assert.Equal(2, accepted.Count);
    }

    [Fact]
    public void Nesting_without_end_is_refused_and_does_not_overflow_the_stack()
    {
        foreach (var group in new[] { true, false })
        {
            var row = new byte[1 << 20];
            row.AsSpan().Fill(group ? (byte)0x7b : (byte)0);
            if (!group)
            {
                row = [];
                for (var i = 0; i < 5000; i++)
                {
                    row = Len(2, row);
                }
            }

            Assert.Equal(RowResult.Malformed, Append(Tree.Descriptor, row).Result);
        }
    }

    [Fact]
    public void Rejected_rows_leave_no_keys_behind()
    {
        var table = TableSchema.FromDescriptor(GpsPoint.Descriptor);
        var (decoder, batch) = (new RowDecoder(table), new Batch(table));
        for (var i = 0; i < Many; i++)
        {
            var point = Rows.Point(i);
            point.ZoneType = $"zone_{i}";
            point.SpeedKph = -1;
            Assert.Equal(RowResult.Rejected, decoder.TryAppend(point.ToByteArray(), batch, Rows.Now, out _));
        }

        Assert.InRange(batch.HeldBytes, 0, 256 * 1024);
    }

    [Fact]
    public void A_huge_row_is_let_go_of_when_the_batch_is_reset()
    {
        var row = Rows.Event();
        row.EventType = new string('x', 256);
        row.Properties.Fields["big"] = Value.ForString(new string('x', 16 << 20));
        var (result, _, batch) = Append(Event.Descriptor, row.ToByteArray());
        Assert.Equal(RowResult.Accepted, result);
        batch.Reset();
        Assert.InRange(batch.HeldBytes, 0, 1 << 20);
    }

    private static TimeSpan Fastest(MessageDescriptor type, byte[] row, out Batch batch)
    {
        var best = TimeSpan.MaxValue;
        batch = null!;
        for (var i = 0; i < 5; i++)
        {
            var table = TableSchema.FromDescriptor(type);
            batch = new Batch(table);
            var decoder = new RowDecoder(table);
            var clock = Stopwatch.StartNew();
            Assert.Equal(RowResult.Accepted, decoder.TryAppend(row, batch, Rows.Now, out _));
            best = clock.Elapsed < best ? clock.Elapsed : best;
        }

        return best;
    }

    private static (MessageDescriptor Type, byte[] Row) Make(string thing, int count)
    {
        var pieces = Enumerable.Range(0, count).ToArray();
        byte[] Join(Func<int, byte[]> piece) => [.. pieces.SelectMany(piece)];
        switch (thing)
        {
            case "equal keys in a map":
                return (MapKeys.Descriptor, Join(_ => Len(12, [.. Len(1, "key"u8), 0x10, 1])));
            case "different keys in a map":
                return (MapKeys.Descriptor, Join(i => Len(12, [.. Len(1, Digits(i)), 0x10, 1])));
            case "equal keys in a struct":
                return (WellKnown.Descriptor, Len(1, Join(_ => Len(1, [.. Len(1, "key"u8), .. Len(2, [0x20, 1])]))));
            case "different keys in a struct":
                return (WellKnown.Descriptor, Len(1, Join(i => Len(1, [.. Len(1, Digits(i)), .. Len(2, [0x20, 1])]))));
            case "items of a list of messages":
                return (JsonLists.Descriptor, Join(_ => Len(2, [])));
            case "fields of a message in a list":
                return (JsonLists.Descriptor, Len(2, Join(_ => [0x20, 2])));
            case "pieces of one message":
                return (Tree.Descriptor, Join(_ => Len(2, Len(1, "x"u8))));
            case "members of a oneof by turns":
                // A deferred member, and many occurrences of another deferred one beside it.
                return (Oneofs.Descriptor, Join(i => i % 2 == 0 ? Len(7, []) : Len(9, [])));
            case "values of one string":
                return (Singles.Descriptor, Join(i => Len(14, Digits(i))));
            case "values of one dictionary":
                return (LowCardinalities.Descriptor, Join(i => Len(1, Digits(i))));
            case "unknown fields":
                return (Singles.Descriptor, Join(_ => [0xf8, 0x07, 1]));
            case "items of a list in a struct":
                var list = Join(_ => Len(1, [0x20, 1]));
                return (WellKnown.Descriptor, Len(1, Len(1, [.. Len(1, "k"u8), .. Len(2, Len(6, list))])));
            default:
                throw new ArgumentOutOfRangeException(nameof(thing));
        }
    }

    // Levels of messages within each other.
    private static byte[] Nested(string table, int depth)
    {
        byte[] inner = [];
        for (var i = 0; i < depth; i++)
        {
            inner = table switch
            {
                nameof(Tree) => Len(2, inner),
                // Entry, Value, Struct.
                _ => i % 3 == 0 ? Len(5, inner) : i % 3 == 1 ? Len(2, inner) : Len(1, [.. Len(1, "k"u8), .. inner]),
            };
        }

        return table switch
        {
            nameof(Tree) => inner,
            nameof(Event) => [.. new Event(Rows.Event()) { Properties = null }.ToByteArray(), .. Len(6, inner)],
            _ => Len(1, inner),
        };
    }

    private static bool IsTaken(MessageDescriptor type, byte[] row)
    {
        try
        {
            // The row of a request lies one level deep, which a limit lower by one stands for.
            type.Parser.ParseFrom(CodedInputStream.CreateWithLimits(new MemoryStream(row), int.MaxValue, 99));
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    private static byte[] Digits(int number) => System.Text.Encoding.ASCII.GetBytes($"{number}");

    private static byte[] Len(int number, ReadOnlySpan<byte> content)
    {
        var output = new MemoryStream();
        WireField.WriteVarint(output, (ulong)((number << 3) | 2), 0);
        WireField.WriteVarint(output, (ulong)content.Length, 0);
        output.Write(content);
        return output.ToArray();
    }

    private static (RowResult Result, RowFault Fault, Batch Batch) Append(MessageDescriptor type, byte[] row)
    {
        var table = TableSchema.FromDescriptor(type);
        var batch = new Batch(table);
        var result = new RowDecoder(table).TryAppend(row, batch, Rows.Now, out var fault);
        return (result, fault, batch);
    }
}
