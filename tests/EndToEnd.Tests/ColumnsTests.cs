using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;
using static Ingest.EndToEnd.Tests.PointFrames;

namespace Ingest.EndToEnd.Tests;

/// <summary>Rows that come as columns land, and are refused, as rows that come as messages.</summary>
[Collection(SharedServer.Collection)]
public sealed class ColumnsTests(SharedServer shared)
{
    private const int InvalidArgument = 3;

    [SkippableFact]
    public async Task Columns_land_and_a_bad_row_is_kept_as_the_message_that_it_stands_for()
    {
        ServerProcess server = shared.Server();
        GpsPointColumns columns = ColumnsOf(1, 1000, "columns");
        columns.LocationLat[499] = 90.5;
        columns.ZoneType = new StringColumn { Dictionary = { "downtown", "airport" } };
        columns.AnomalyFlags = new StringListColumn { Items = new StringColumn() };
        for (int row = 0; row < 1000; row++)
        {
            columns.ZoneType.Indexes.Add((uint)row % 2);
            columns.AnomalyFlags.Lengths.Add((uint)row % 2);
            columns.AnomalyFlags.Items.Values.Add(Enumerable.Repeat("gps_jump", row % 2));
        }

        // Rows come before columns, wherever they stand.
        byte[] request =
        [
            .. new StreamGpsPointsRequest { Columns = columns }.ToByteArray(),
            .. new StreamGpsPointsRequest { Points = { Point(0, "columns") } }.ToByteArray(),
        ];
        RawCall.Answer answer = await RawCall.SendAsync(server.GrpcAddress, "StreamGpsPoints", Frame(request));

        StreamGpsPointsResponse response = answer.Response(StreamGpsPointsResponse.Parser);
        Assert.Equal((1000, 1), (response.AcceptedCount, response.RejectedCount));
        RowError error = Assert.Single(response.Errors);
        Assert.Equal((500, "location.lat", RowErrorCode.OutOfRange), (error.Row, error.Field, error.Code));
        await server.ExpectAsync(
            "1000\t1000\t500\t499\tgps_jump\tTO_PICKUP\t2026-01-01 00:00:00\t1000",
            "SELECT count(), uniqExact(order_id), countIf(zone_type = 'downtown'), countIf(zone_type = 'airport'), "
            + "arrayStringConcat(groupUniqArrayArray(anomaly_flags)), any(trip_stage), toDateTime(min(timestamp)), "
            + "dateDiff('second', min(timestamp), max(timestamp)) FROM gps_points WHERE driver_id = 'columns'");
        GpsPoint bad = Point(500, "columns");
        (bad.Location.Lat, bad.ZoneType) = (90.5, "airport");
        bad.AnomalyFlags.Add("gps_jump");
        await server.ExpectAsync(
            Convert.ToHexString(bad.ToByteArray()),
            "SELECT hex(row) FROM dead_letters WHERE position(row, 'columns') > 0");
    }

    [SkippableFact]
    public async Task Events_land_as_columns()
    {
        ServerProcess server = shared.Server();
        var columns = new EventColumns
        {
            RowCount = 2,
            EventType = new StringColumn { Values = { "columns_click", "columns_click" } },
            EntityType = new StringColumn { Dictionary = { "campaign" }, Indexes = { 0, 0 } },
            EntityId = new StringColumn { Dictionary = { "a", "b" }, Indexes = { 1, 0 } },
            Timestamp = new TimestampColumn { FirstMicros = 1_767_225_600_000_000, DeltaMicros = { -1_000_000 } },
            Properties = { new Struct(), new Struct { Fields = { ["cost"] = Value.ForNumber(0.5) } } },
        };

        RawCall.Answer answer = await RawCall.SendAsync(
            server.GrpcAddress, "StreamEvents", Frame(new StreamEventsRequest { Columns = columns }));

        Assert.Equal(2, answer.Response(StreamEventsResponse.Parser).AcceptedCount);
        await server.ExpectAsync(
            "a\t2025-12-31 23:59:59\t0.5\nb\t2026-01-01 00:00:00\t",
            "SELECT entity_id, toDateTime(timestamp), properties['cost'] FROM events "
            + "WHERE event_type = 'columns_click' ORDER BY entity_id");
    }

    [SkippableFact]
    public async Task Columns_that_make_no_rows_end_the_call_and_what_came_before_lands()
    {
        ServerProcess server = shared.Server();
        byte[] good = Frame(new StreamGpsPointsRequest { Columns = ColumnsOf(0, 10, "fits") });
        GpsPointColumns columns = ColumnsOf(10, 10, "fits");
        columns.OrderId.Values.RemoveAt(9);

        RawCall.Answer answer = await RawCall.SendAsync(
            server.GrpcAddress, "StreamGpsPoints",
            [.. good, .. Frame(new StreamGpsPointsRequest { Points = { Point(10, "fits") }, Columns = columns }), .. good]);

        Assert.Equal(InvalidArgument, answer.Status);
        Assert.Contains("order_id has another length than row_count", answer.Message, StringComparison.Ordinal);
        Assert.Equal("10", answer.Trailers["ingest-accepted-count"]);
        await server.ExpectAsync("10", "SELECT count() FROM gps_points WHERE driver_id = 'fits'");
    }
}
