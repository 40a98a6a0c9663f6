using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.Tests.Columns;
using Ingest.Tests.Protos;
using Ingest.V1;

namespace Ingest.Tests.Decoding;

public sealed class RuleTests
{
    private const long Year2000 = 946_684_800;
    private const long Day = 86_400;

    private static readonly string s_256 = new('x', 256);
    private static readonly string s_257 = new('x', 257);

    public static TheoryData<string, string, RowErrorCode, string> BadPoints => new()
    {
        { "no driver", "driver_id", RowErrorCode.Missing, "missing or empty" },
        { "long driver", "driver_id", RowErrorCode.TooLong, "longer than 256 bytes" },
        { "long order", "order_id", RowErrorCode.TooLong, "longer than 256 bytes" },
        { "no location", "location", RowErrorCode.Missing, "missing or empty" },
        { "latitude", "location.lat", RowErrorCode.OutOfRange, "not between -90 and 90" },
        { "NaN latitude", "location.lat", RowErrorCode.OutOfRange, "not between -90 and 90" },
        { "longitude", "location.lon", RowErrorCode.OutOfRange, "not between -180 and 180" },
        { "infinite longitude", "location.lon", RowErrorCode.OutOfRange, "not between -180 and 180" },
        { "negative speed", "speed_kph", RowErrorCode.OutOfRange, "not finite or less than 0" },
        { "NaN speed", "speed_kph", RowErrorCode.OutOfRange, "not finite or less than 0" },
        { "infinite speed", "speed_kph", RowErrorCode.OutOfRange, "not finite or less than 0" },
        { "no time", "timestamp", RowErrorCode.Missing, "missing or empty" },
        { "empty time", "timestamp", RowErrorCode.OutOfRange, "2000-01-01" },
        { "1999", "timestamp", RowErrorCode.OutOfRange, "2000-01-01" },
        { "year 1", "timestamp", RowErrorCode.OutOfRange, "2000-01-01" },
        { "year 9999", "timestamp", RowErrorCode.OutOfRange, "24 hours ahead" },
        { "a day and a second ahead", "timestamp", RowErrorCode.OutOfRange, "24 hours ahead" },
        { "negative nanos", "timestamp", RowErrorCode.OutOfRange, "2000-01-01" },
        { "a second of nanos", "timestamp", RowErrorCode.OutOfRange, "2000-01-01" },
    };

    [Theory]
    [MemberData(nameof(BadPoints))]
    public void A_bad_point_is_rejected_with_field_and_reason(
        string fault, string field, RowErrorCode code, string reason)
    {
        var point = Rows.Point();
        switch (fault)
        {
            case "no driver": point.DriverId = ""; break;
            case "long driver": point.DriverId = s_257; break;
            case "long order": point.OrderId = s_257; break;
            case "no location": point.Location = null; break;
            case "latitude": point.Location.Lat = 90.000001; break;
            case "NaN latitude": point.Location.Lat = double.NaN; break;
            case "longitude": point.Location.Lon = -180.000001; break;
            case "infinite longitude": point.Location.Lon = double.PositiveInfinity; break;
            case "negative speed": point.SpeedKph = -0.001f; break;
            case "NaN speed": point.SpeedKph = float.NaN; break;
            case "infinite speed": point.SpeedKph = float.PositiveInfinity; break;
            case "no time": point.Timestamp = null; break;
            case "empty time": point.Timestamp = new Timestamp(); break;
            case "1999": point.Timestamp = new Timestamp { Seconds = Year2000 - 1, Nanos = 999_999_999 }; break;
            case "year 1": point.Timestamp = new Timestamp { Seconds = -62_135_596_800 }; break;
            case "year 9999": point.Timestamp = new Timestamp { Seconds = 253_402_300_799 }; break;
            case "a day and a second ahead": point.Timestamp.Seconds = Rows.Now + Day + 1; break;
            case "negative nanos": point.Timestamp.Nanos = -1; break;
            case "a second of nanos": point.Timestamp.Nanos = 1_000_000_000; break;
        }

        AssertRejected(point, field, code, reason);
    }

    [Fact]
    public void Points_at_the_edges_are_accepted()
    {
        AssertAccepted(new GpsPoint(Rows.Point()) { DriverId = s_256, OrderId = s_256 });
        AssertAccepted(new GpsPoint(Rows.Point()) { OrderId = "", SpeedKph = 0 });
        AssertAccepted(new GpsPoint(Rows.Point()) { Location = new Location() });
        AssertAccepted(new GpsPoint(Rows.Point()) { Location = new Location { Lat = -90, Lon = 180 } });
        AssertAccepted(new GpsPoint(Rows.Point()) { SpeedKph = float.MaxValue });
        AssertAccepted(new GpsPoint(Rows.Point()) { Timestamp = new Timestamp { Seconds = Year2000 } });
        AssertAccepted(new GpsPoint(Rows.Point()) { Timestamp = new Timestamp { Seconds = Rows.Now + Day } });
        AssertAccepted(new GpsPoint(Rows.Point()) { TripStage = (TripStage)77 });
    }

    [Fact]
    public void Events_need_type_entity_and_time()
    {
        AssertAccepted(new Event(Rows.Event()) { EventId = "", Properties = null });
        AssertRejected(new Event(Rows.Event()) { EventId = s_257 }, "event_id", RowErrorCode.TooLong, "256");
        AssertRejected(new Event(Rows.Event()) { EventType = "" }, "event_type", RowErrorCode.Missing, "empty");
        AssertRejected(new Event(Rows.Event()) { EventType = s_257 }, "event_type", RowErrorCode.TooLong, "256");
        AssertRejected(new Event(Rows.Event()) { EntityType = "" }, "entity_type", RowErrorCode.Missing, "empty");
        AssertRejected(new Event(Rows.Event()) { EntityType = s_257 }, "entity_type", RowErrorCode.TooLong, "256");
        AssertRejected(new Event(Rows.Event()) { EntityId = "" }, "entity_id", RowErrorCode.Missing, "empty");
        AssertRejected(new Event(Rows.Event()) { EntityId = s_257 }, "entity_id", RowErrorCode.TooLong, "256");
        AssertRejected(new Event(Rows.Event()) { Timestamp = null }, "timestamp", RowErrorCode.Missing, "empty");
    }

    [Fact]
    public void Samples_need_campaign_and_time()
    {
        AssertAccepted(new MetricSample { CampaignId = s_256, Timestamp = new Timestamp { Seconds = Rows.Now } });
        AssertRejected(new MetricSample(Rows.Sample()) { CampaignId = "" }, "campaign_id", RowErrorCode.Missing, "");
        AssertRejected(
            new MetricSample(Rows.Sample()) { CampaignId = s_257 }, "campaign_id", RowErrorCode.TooLong, "256");
        AssertRejected(new MetricSample(Rows.Sample()) { Timestamp = null }, "timestamp", RowErrorCode.Missing, "");
    }

    [Fact]
    public void Orders_need_id_and_placed_at_alone()
    {
        var placed = new Timestamp { Seconds = Rows.Now };
        AssertAccepted(new Order { OrderId = "o", PlacedAt = placed });
        AssertRejected(new Order { PlacedAt = placed }, "order_id", RowErrorCode.Missing, "");
        AssertRejected(new Order { OrderId = "o" }, "placed_at", RowErrorCode.Missing, "");
        AssertRejected(
            new Order { OrderId = "o", PlacedAt = placed, DueAt = new Timestamp() }, "due_at",
            RowErrorCode.OutOfRange, "2000");
        AssertRejected(
            new Order { OrderId = "o", PlacedAt = placed, Pickup = new Location { Lat = 91 } }, "pickup.lat",
            RowErrorCode.OutOfRange, "90");
        AssertRejected(
            new Order { OrderId = "o", PlacedAt = placed, RestaurantId = s_257 }, "restaurant_id",
            RowErrorCode.TooLong, "256");
    }

    [Fact]
    public void A_limit_counts_bytes_not_characters()
    {
        AssertAccepted(new GpsPoint(Rows.Point()) { DriverId = new string('é', 128) });
        AssertRejected(
            new GpsPoint(Rows.Point()) { DriverId = new string('é', 128) + "x" }, "driver_id", RowErrorCode.TooLong, "");
    }

    [Fact]
    public void Every_rule_holds_on_every_kind_of_field()
    {
        AssertAccepted(Ruled());
        AssertRejected(Ruled(r => r.Id = ""), "id", RowErrorCode.Missing, "");
        AssertRejected(Ruled(r => r.ClearMaybeId()), "maybe_id", RowErrorCode.Missing, "");
        AssertRejected(Ruled(r => r.MaybeId = ""), "maybe_id", RowErrorCode.Missing, "");
        AssertRejected(Ruled(r => r.Raw = ByteString.CopyFrom(1, 2, 3, 4, 5)), "raw", RowErrorCode.TooLong, "4 bytes");
        AssertRejected(Ruled(r => r.Bounded = 2.6), "bounded", RowErrorCode.OutOfRange, "between -1.5 and 2.5");
        AssertRejected(Ruled(r => r.Finite = double.NaN), "finite", RowErrorCode.OutOfRange, "not finite");
        AssertRejected(Ruled(r => r.BoundedAbove = 11), "bounded_above", RowErrorCode.OutOfRange, "greater than 10");
        AssertRejected(Ruled(r => r.Count = 0), "count", RowErrorCode.Missing, "");
        AssertRejected(Ruled(r => r.Color = Color.Unspecified), "color", RowErrorCode.Missing, "");
        AssertRejected(Ruled(r => r.List.Clear()), "list", RowErrorCode.Missing, "");
        AssertRejected(Ruled(r => r.Map.Clear()), "map", RowErrorCode.Missing, "");
        AssertRejected(Ruled(r => r.Inner = null), "inner", RowErrorCode.Missing, "");
        AssertAccepted(Ruled(r => r.Within = new Bounded { Positive = 1 }));
        AssertAccepted(Ruled(r => r.MaybeTime = null));
        AssertRejected(Ruled(r => r.MaybeTime = new Timestamp()), "maybe_time", RowErrorCode.OutOfRange, "2299-12-31");
        AssertRejected(
            Ruled(r => r.FreeTime = new Timestamp { Seconds = -2_208_988_801 }), "free_time",
            RowErrorCode.OutOfRange, "1900-01-01");
        AssertRejected(
            Ruled(r => r.Span = new Duration { Seconds = 1, Nanos = -1 }), "span", RowErrorCode.OutOfRange, "duration");
    }

    [Fact]
    public void Zero_is_held_to_a_rule_whether_it_is_sent_or_not()
    {
        AssertRejected(
            Ruled(r => r.Within = new Bounded()), "within.positive", RowErrorCode.OutOfRange, "less than 1");
        byte[] explicitZero = [.. Ruled(r => r.Within = null).ToByteArray(), 0x7a, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0];
        var (result, fault) = Append(Protos.Ruled.Descriptor, explicitZero);
        Assert.Equal((RowResult.Rejected, "within.positive"), (result, fault.Field));
        // The same for a number that is required: 0 sent is 0 not sent.
        byte[] zeroCount = [.. Ruled(r => r.Count = 0).ToByteArray(), 0x50, 0];
        (result, fault) = Append(Protos.Ruled.Descriptor, zeroCount);
        Assert.Equal((RowResult.Rejected, "count"), (result, fault.Field));
        // And a list that is there without items.
        byte[] emptyList = [.. Ruled(r => r.List.Clear()).ToByteArray(), 0x62, 0];
        (result, fault) = Append(Protos.Ruled.Descriptor, emptyList);
        Assert.Equal((RowResult.Rejected, "list"), (result, fault.Field));
    }

    [Theory]
    [InlineData("GpsPoint", 1, "driver_id")]
    [InlineData("GpsPoint", 7, "zone_type")]
    [InlineData("GpsPoint", 9, "anomaly_flags")]
    [InlineData("Event", 2, "event_type")]
    public void Text_that_is_no_UTF8_rejects_the_row(string table, int number, string field)
    {
        byte[] tail = [(byte)((number << 3) | 2), 3, (byte)'a', 0xc3, 0x28];
        // Also when a later occurrence replaces it.
        byte[] replaced = [.. tail, (byte)((number << 3) | 2), 1, (byte)'b'];
        foreach (var row in new[] { tail, replaced })
        {
            var (result, fault) = Append(Tables.Of(table), [.. Rows.Of(table, 1)[0], .. row]);
            Assert.Equal(RowResult.Rejected, result);
            Assert.Equal((field, RowErrorCode.InvalidUtf8, "not valid UTF-8"), (fault.Field, fault.Code, fault.Message));
        }
    }

    [Fact]
    public void Bytes_need_not_be_text()
    {
        var message = new Singles { BytesValue = ByteString.CopyFrom(0xff, 0xfe) };
        Assert.Equal(RowResult.Accepted, Append(Singles.Descriptor, message.ToByteArray()).Result);
    }

    [Fact]
    public void The_good_rows_among_bad_ones_land()
    {
        var table = TableSchema.FromDescriptor(GpsPoint.Descriptor);
        var (decoder, batch) = (new RowDecoder(table), new Batch(table));
        var bad = 0;
        for (var i = 0; i < 1000; i++)
        {
            var point = Rows.Point(i);
            point.ZoneType = $"zone_{i}";
            point.Location.Lat = i % 10 == 0 ? double.NaN : 1;
            bad += decoder.TryAppend(point.ToByteArray(), batch, Rows.Now, out _) == RowResult.Rejected ? 1 : 0;
        }

        Assert.Equal((100, 900), (bad, batch.RowCount));
        var zones = Blocks.Read(batch)["zone_type"].Values.Select(v => CellText.Of(v, CellText.Bytes));
        Assert.Equal(Enumerable.Range(0, 1000).Where(i => i % 10 != 0).Select(i => $"'zone_{i}'"), zones);
    }

    private static Ruled Ruled(Action<Ruled>? change = null)
    {
        var row = new Ruled
        {
            Id = "id",
            MaybeId = "maybe",
            Raw = ByteString.CopyFrom(1, 2, 3, 4),
            Bounded = 2.5,
            Finite = 0,
            Time = new Timestamp { Seconds = Rows.Now },
            Count = -1,
            Color = Color.Red,
            List = { 0 },
            Map = { ["a"] = 0 },
            Inner = new Inner(),
        };
        change?.Invoke(row);
        return row;
    }

    private static void AssertAccepted(IMessage row)
    {
        var (result, fault) = Append(row.Descriptor, row.ToByteArray());
        Assert.True(result == RowResult.Accepted, $"{row}: {fault}");
    }

    private static void AssertRejected(IMessage row, string field, RowErrorCode code, string reason)
    {
        var (result, fault) = Append(row.Descriptor, row.ToByteArray());
        Assert.Equal(RowResult.Rejected, result);
        Assert.Equal((field, code), (fault.Field, fault.Code));
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
    }

    private static (RowResult Result, RowFault Fault) Append(MessageDescriptor type, byte[] row)
    {
        var table = TableSchema.FromDescriptor(type);
        var batch = new Batch(table);
        var result = new RowDecoder(table).TryAppend(row, batch, Rows.Now, out var fault);
        Assert.Equal(result == RowResult.Accepted ? 1 : 0, batch.RowCount);
        return (result, fault);
    }
}
