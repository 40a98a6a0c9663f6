using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.V1;
using StringColumn = Ingest.V1.StringColumn;

namespace Ingest.Tests.Decoding;

/// <summary>Structs in columns that are not as libraries write them: what is made of the rows beside them.</summary>
public sealed class ColumnsStructTests
{
    private static readonly byte[] s_malformed = [0x0a, 0x05, 0x0a];
    private static readonly byte[] s_twice = Convert.FromHexString("0A070A0161120220010A070A016112022000");
    private static readonly byte[] s_noText = Convert.FromHexString("0A080A016112031A01FF");
    private readonly ColumnsComparison _comparison = new(nameof(Event));

    [Theory]
    [InlineData(300)]
    [InlineData(2)]
    [InlineData(1)]
    public void Rows_with_text_that_is_none_are_rejected_alone(int every)
    {
        _comparison.Add(Request(every, s_noText));
        Assert.Equal(1, _comparison.WithRejected);
        _comparison.Check();
    }

    [Theory]
    [InlineData(300)]
    [InlineData(2)]
    [InlineData(1)]
    public void Structs_that_no_library_writes_are_read_as_in_rows(int every)
    {
        _comparison.Add(Request(every, s_twice));
        Assert.Equal(1, _comparison.Whole);
        _comparison.Check();
    }

    [Fact]
    public void Names_that_are_too_long_reject_their_rows_alone()
    {
        byte[] tooLong = new Struct { Fields = { [new string('n', 2000)] = Value.ForBool(true) } }.ToByteArray();
        _comparison.Add(Request(100, tooLong));
        Assert.Equal(1, _comparison.WithRejected);
        _comparison.Check();
    }

    [Fact]
    public void A_malformed_struct_is_malformed_though_its_row_be_left_out_or_no_rows_be_made()
    {
        byte[] request = Request(300, s_malformed);
        Assert.Equal(RequestResult.Malformed, Decode(request, skip: 0));
        Assert.Equal(RequestResult.Malformed, Decode(request, skip: 350));
        Assert.Equal(RequestResult.Malformed, Decode(request, skip: 400));

        // Strings of more than there may be.
        byte[] tooMuch = Request(300, s_malformed, columns => columns.EventId = new StringColumn
        {
            Dictionary = { new string('x', 1_000_000) },
            Indexes = { Enumerable.Repeat(0U, 400) },
        });
        Assert.Equal(RequestResult.Malformed, Decode(tooMuch, skip: 0));
    }

    // 400 events, their strings in dictionaries, every so many of them with another struct.
    private static byte[] Request(int every, byte[] content, Action<EventColumns>? change = null)
    {
        Event[] events = [.. Enumerable.Range(0, 400).Select(Rows.Event)];
        for (int i = 0; i < events.Length; i++)
        {
            events[i].EventType = $"type {i % 7}";
            events[i].EntityType = $"entity {i / 90}";
        }

        EventColumns columns = ColumnsOf.Events(events);
        Struct[] structs = [.. columns.Properties];
        columns.Properties.Clear();
        change?.Invoke(columns);
        var bytes = new MemoryStream();
        bytes.Write(columns.ToByteArray());
        Span<byte> length = stackalloc byte[10];
        for (int i = 0; i < structs.Length; i++)
        {
            byte[] one = i % every == every - 1 ? content : structs[i].ToByteArray();
            bytes.WriteByte((EventColumns.PropertiesFieldNumber << 3) | 2);
            bytes.Write(length[..NativeFormat.WriteVarint(length, (ulong)one.Length)]);
            bytes.Write(one);
        }

        byte[] message = bytes.ToArray();
        Span<byte> header = stackalloc byte[11];
        header[0] = (StreamEventsRequest.ColumnsFieldNumber << 3) | 2;
        int headerLength = 1 + NativeFormat.WriteVarint(header[1..], (ulong)message.Length);
        return [.. header[..headerLength], .. message];
    }

    private static RequestResult Decode(byte[] request, long skip)
    {
        var table = TableSchema.FromDescriptor(Event.Descriptor);
        var columns = new ColumnsDecoder(new RowDecoder(table), EventColumns.Descriptor);
        var batch = new Batch(table);
        int start = 1;
        while (request[start++] >= 0x80)
        {
        }

        return columns.TryAppend(
            request, [(start, request.Length - start)], batch, skip, firstIndex: 0, int.MaxValue, Rows.Now, [], out _);
    }
}
