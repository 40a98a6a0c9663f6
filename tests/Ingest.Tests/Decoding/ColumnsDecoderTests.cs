using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.Tests.Columns;
using Ingest.Tests.Protos;
using Ingest.V1;
using StringColumn = Ingest.V1.StringColumn;

namespace Ingest.Tests.Decoding;

/// <summary>Single cases of columns: what is refused, what it costs, and what each fault is called.</summary>
public sealed class ColumnsDecoderTests
{
    private static readonly TableSchema s_table = TableSchema.FromDescriptor(GpsPoint.Descriptor);
    private readonly RequestDecoder _decoder = new(new RowDecoder(s_table));
    private readonly Batch _batch = new(s_table);
    private readonly List<RejectedRow> _rejected = [];

    [Theory]
    [InlineData(2U)]
    [InlineData(int.MaxValue)]
    public void A_row_count_that_no_column_has_is_refused_and_costs_nothing(uint rows)
    {
        Unfit(new GpsPointColumns { RowCount = rows }, "row_count");
        Assert.InRange(_batch.HeldBytes, 0, 16 * 1024);
    }

    [Theory]
    [InlineData(0U)]
    [InlineData(2U)]
    [InlineData(4U)]
    [InlineData(int.MaxValue)]
    public void A_column_of_another_length_is_refused_and_costs_nothing(uint rows)
    {
        GpsPointColumns columns = Good(3);
        columns.RowCount = rows;
        Unfit(columns, "driver_id has another length");
        Assert.InRange(_batch.HeldBytes, 0, 64 * 1024);
    }

    [Theory]
    [InlineData(0, 10, RequestResult.Decoded)]
    [InlineData(0, 11, RequestResult.TooManyRows)]
    [InlineData(4, 6, RequestResult.Decoded)]
    [InlineData(4, 7, RequestResult.TooManyRows)]
    public void More_rows_than_a_request_may_have_are_refused(int rows, int inColumns, RequestResult expected)
    {
        var decoder = new RequestDecoder(_decoder.Rows) { MaxRows = 10 };
        var request = new StreamGpsPointsRequest
        {
            Points = { Enumerable.Range(0, rows).Select(Rows.Point) },
            Columns = Good(inColumns),
        };
        Assert.Equal(expected, decoder.TryAppend(request.ToByteArray(), _batch, Rows.Now, _rejected));
        Assert.Equal(expected == RequestResult.Decoded ? 10 : 0, _batch.RowCount);
        request.Columns.RowCount = uint.MaxValue;
        Assert.Equal(
            RequestResult.TooManyRows, decoder.TryAppend(request.ToByteArray(), _batch, Rows.Now, _rejected));
    }

    [Fact]
    public void An_index_outside_the_dictionary_is_refused()
    {
        GpsPointColumns columns = Good(40);
        columns.ZoneType.Indexes[39] = (uint)columns.ZoneType.Dictionary.Count;
        Unfit(columns, "zone_type has an index outside its dictionary");
    }

    [Fact]
    public void Values_and_a_dictionary_are_refused()
    {
        GpsPointColumns columns = Good(3);
        columns.ZoneType.Values.Add(["a", "b", "c"]);
        Unfit(columns, "zone_type has both");
    }

    [Theory]
    [InlineData(0U)]
    [InlineData(2U)]
    [InlineData(uint.MaxValue)]
    public void Lengths_that_do_not_add_up_are_refused(uint length)
    {
        GpsPointColumns columns = Good(3);
        columns.AnomalyFlags = new StringListColumn
        {
            Lengths = { 0, length, 0 },
            Items = new StringColumn { Values = { "jump" } },
        };
        Unfit(columns, "anomaly_flags has another number of items");
        columns.AnomalyFlags.Items.Values.Clear();
        if (length > 0)
        {
            Unfit(columns, "anomaly_flags has another number of items");
        }
    }

    [Fact]
    public void Strings_that_would_blow_up_are_refused_and_cost_nothing()
    {
        // 100 kB and an index of a byte for each of 2,000 rows would be 200 MB.
        GpsPointColumns columns = Good(2000);
        columns.OrderId = new StringColumn { Dictionary = { new string('x', 100_000) } };
        columns.OrderId.Indexes.Add(Enumerable.Repeat(0U, 2000));
        Unfit(columns, "64");
        Assert.InRange(_batch.HeldBytes, 0, 4 * columns.CalculateSize());
    }

    [Fact]
    public void Long_strings_that_few_rows_have_are_taken()
    {
        GpsPointColumns columns = Good(2000);
        columns.ZoneType = new StringColumn { Dictionary = { new string('x', 100_000), "downtown" } };
        columns.ZoneType.Indexes.Add(Enumerable.Range(0, 2000).Select(row => row == 7 ? 0U : 1U));
        Assert.Equal(RequestResult.Decoded, Append(columns));
        Assert.Equal(2000, _batch.RowCount);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(36)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(256)]
    public void Strings_of_any_length_are_those_of_the_rows(int length)
    {
        // Runs of one length, of this one among others, and of every length up to it.
        GpsPoint[] points = [.. Enumerable.Range(0, 700).Select(Rows.Point)];
        for (int i = 0; i < points.Length; i++)
        {
            int own = i < 300 ? length : i < 400 ? (i % 3 * length / 2) : i % (length + 1);
            points[i].OrderId = new string((char)('a' + (i % 26)), own);
            points[i].DriverId = new string((char)('a' + (i % 7)), Math.Max(1, own));
        }

        Assert.Equal(RequestResult.Decoded, Append(ColumnsOf.Points(points)));
        var rows = new Batch(s_table);
        _decoder.TryAppend(
            new StreamGpsPointsRequest { Points = { points } }.ToByteArray(), rows, Rows.Now, _rejected);
        Assert.Equal((700, 0), (rows.RowCount, _rejected.Count));
        Assert.Equal(Blocks.Encode(rows), Blocks.Encode(_batch));
    }

    [Fact]
    public void Columns_that_make_no_rows_take_the_rows_beside_them_along()
    {
        Assert.Equal(RequestResult.Decoded, Append(Good(5)));
        GpsPointColumns columns = Good(3);
        columns.SpeedKph.Add(1);
        var request = new StreamGpsPointsRequest { Points = { Rows.Point(), Rows.Point(1) }, Columns = columns };
        Assert.Equal(RequestResult.Unfit, _decoder.TryAppend(request.ToByteArray(), _batch, Rows.Now, _rejected));
        Assert.Equal(5, _batch.RowCount);
        var fresh = new Batch(s_table);
        _decoder.TryAppend(new StreamGpsPointsRequest { Columns = Good(5) }.ToByteArray(), fresh, Rows.Now, _rejected);
        Assert.Equal(Blocks.Encode(fresh), Blocks.Encode(_batch));
    }

    [Fact]
    public void Bad_rows_are_numbered_behind_the_rows_and_have_the_bytes_of_their_message()
    {
        GpsPoint[] points = [.. Enumerable.Range(0, 6).Select(Rows.Point)];
        points[1].DriverId = "";
        points[2].Location.Lon = -180.5;
        points[4].Timestamp.Seconds = 946_684_799;
        points[4].AnomalyFlags.Add(["jump", "stale"]);
        var request = new StreamGpsPointsRequest
        {
            Points = { Rows.Point(7), new GpsPoint(), Rows.Point(8) },
            Columns = ColumnsOf.Points(points),
        };
        byte[] bytes = request.ToByteArray();
        Assert.Equal(RequestResult.Decoded, _decoder.TryAppend(bytes, _batch, Rows.Now, _rejected));
        Assert.Equal(5, _batch.RowCount);
        Assert.Equal(
            [(1, "driver_id"), (4, "driver_id"), (5, "location.lon"), (7, "timestamp")],
            _rejected.Select(row => (row.Index, row.Fault.Field)));
        Assert.Equal(
            [new GpsPoint(), points[1], points[2], points[4]],
            _rejected.Select(row => GpsPoint.Parser.ParseFrom(row.BytesIn(bytes))));
        Assert.Equal(points[4].ToByteArray(), _rejected[3].BytesIn(bytes).ToArray());
    }

    [Fact]
    public void Bytes_of_rejected_rows_outlive_the_next_message()
    {
        GpsPoint[] points = [.. Enumerable.Range(0, 2000).Select(Rows.Point)];
        foreach (GpsPoint point in points)
        {
            point.SpeedKph = -1;
        }

        Assert.Equal(RequestResult.Decoded, Append(ColumnsOf.Points(points)));
        List<RejectedRow> first = [.. _rejected];
        Assert.Equal(RequestResult.Decoded, Append(ColumnsOf.Points(points.Reverse())));
        Assert.Equal(points, first.Select(row => GpsPoint.Parser.ParseFrom(row.BytesIn([]))));
    }

    [Fact]
    public void Rows_that_a_producer_has_sent_before_are_left_out()
    {
        GpsPoint[] points = [.. Enumerable.Range(0, 10).Select(Rows.Point)];
        points[1].SpeedKph = -1;
        points[5].SpeedKph = -1;
        points[6].AnomalyFlags.Add("jump");
        Assert.Equal([(5, 0)], Skip(points, 5, [new RowRun(6, 0, 4)]));
        points[5].SpeedKph = 1;
        points[1].SpeedKph = 1;
        points[2].AnomalyFlags.Add("stale");
        Assert.Empty(Skip(points, 5, [new RowRun(5, 0, 5)]));
        Assert.Empty(Skip(points, 10, []));
        Assert.Empty(Skip(points, 100, []));
    }

    [Fact]
    public void A_table_without_columns_takes_the_field_for_an_unknown_one()
    {
        var table = TableSchema.FromDescriptor(Order.Descriptor);
        var batch = new Batch(table);
        byte[] request =
        [
            .. new StreamGpsPointsRequest { Columns = Good(3) }.ToByteArray(),
            .. new StreamOrdersRequest { Orders = { Rows.Order() } }.ToByteArray(),
        ];
        var decoder = new RequestDecoder(new RowDecoder(table));
        Assert.Equal(RequestResult.Decoded, decoder.TryAppend(request, batch, Rows.Now, _rejected));
        Assert.Equal(1, batch.RowCount);
    }

    [Fact]
    public void Numbers_of_all_kinds_come_as_columns()
    {
        var table = TableSchema.FromDescriptor(Numbers.Descriptor);
        var rows = new RowDecoder(table);
        var columns = new ColumnsDecoder(rows, NumbersColumns.Descriptor);
        var message = new NumbersColumns { RowCount = 3 };
        Numbers[] expected =
        [
            Number(1, 1), Number(-5, uint.MaxValue), Number(long.MinValue, 0),
        ];
        foreach (Numbers row in expected)
        {
            message.Int32Value.Add(row.Int32Value);
            message.Int64Value.Add(row.Int64Value);
            message.Uint32Value.Add(row.Uint32Value);
            message.Uint64Value.Add(row.Uint64Value);
            message.Sint32Value.Add(row.Sint32Value);
            message.Sint64Value.Add(row.Sint64Value);
            message.BoolValue.Add(row.BoolValue);
            message.Fixed32Value.Add(row.Fixed32Value);
            message.Fixed64Value.Add(row.Fixed64Value);
            message.Sfixed32Value.Add(row.Sfixed32Value);
            message.Sfixed64Value.Add(row.Sfixed64Value);
            (message.BytesValue ??= new StringColumn()).Values.Add(row.BytesValue.ToStringUtf8());
        }

        foreach (bool allGood in new[] { false, true })
        {
            if (allGood)
            {
                message.Uint32Value[2] = 9;
                expected[2].Uint32Value = 9;
            }

            var (some, each) = (new Batch(table), new Batch(table));
            _rejected.Clear();
            byte[] bytes = message.ToByteArray();
            RequestResult result = columns.TryAppend(
                bytes, [(0, bytes.Length)], some, skip: 0, firstIndex: 0, maxRows: 3, Rows.Now, _rejected,
                out int count);
            Assert.Equal((RequestResult.Decoded, 3), (result, count));
            Assert.Equal(allGood ? 0 : 1, _rejected.Count);
            foreach (Numbers row in expected[..(allGood ? 3 : 2)])
            {
                Assert.Equal(RowResult.Accepted, rows.TryAppend(row.ToByteArray(), each, Rows.Now, out _));
            }

            Assert.Equal(Blocks.Encode(each), Blocks.Encode(some));
        }
    }

    private static Numbers Number(long value, uint required) => new()
    {
        Int32Value = (int)value,
        Int64Value = value,
        Uint32Value = required,
        Uint64Value = (ulong)value,
        Sint32Value = (int)value,
        Sint64Value = value,
        BoolValue = value > 0,
        Fixed32Value = (uint)value,
        Fixed64Value = (ulong)value,
        Sfixed32Value = (int)value,
        Sfixed64Value = value,
        BytesValue = ByteString.CopyFromUtf8($"{value}"),
    };

    private static GpsPointColumns Good(int rows) => ColumnsOf.Points(Enumerable.Range(0, rows).Select(Rows.Point));

    private RequestResult Append(GpsPointColumns columns) =>
        _decoder.TryAppend(new StreamGpsPointsRequest { Columns = columns }.ToByteArray(), _batch, Rows.Now, _rejected);

    private void Unfit(GpsPointColumns columns, string fault)
    {
        Assert.Equal(RequestResult.Unfit, Append(columns));
        Assert.Contains(fault, _batch.ColumnsScratch.Fault, StringComparison.Ordinal);
        Assert.Equal(0, _batch.RowCount);
        Assert.Empty(_rejected);
    }

    // Appends them as a request of a producer, and the rows that are left as rows; returns what was rejected.
    private List<(int Index, int Start)> Skip(GpsPoint[] points, int skip, List<RowRun> runs)
    {
        byte[] request = new AppendRequest
        {
            Rows = new AppendRows { GpsPointColumns = ColumnsOf.Points(points) },
        }.ToByteArray();
        var (some, each) = (new Batch(s_table), new Batch(s_table));
        var (accepted, rejected) = (new List<RowRun>(), new List<RejectedRow>());
        var decoder = new AppendDecoder();
        Assert.True(decoder.TryRead(request));
        Assert.Equal(
            RequestResult.Decoded,
            decoder.TryAppend(request, _decoder, some, skip, Rows.Now, accepted, rejected, out int count));
        Assert.Equal(points.Length, count);
        Assert.Equal(runs, accepted);
        foreach (GpsPoint point in points.Skip(skip))
        {
            _decoder.Rows.TryAppend(point.ToByteArray(), each, Rows.Now, out _);
        }

        Assert.Equal(Blocks.Encode(each), Blocks.Encode(some));
        return [.. rejected.Select(row => (row.Index, row.Start))];
    }
}
