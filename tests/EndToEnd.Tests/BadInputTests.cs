using System.IO.Compression;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;
using static Ingest.EndToEnd.Tests.PointFrames;

namespace Ingest.EndToEnd.Tests;

/// <summary>What goes wrong on the wire is named, and harms nothing else.</summary>
[Collection(SharedServer.Collection)]
public sealed class BadInputTests(SharedServer shared)
{
    private const int InvalidArgument = 3;
    private const int ResourceExhausted = 8;
    private const int Internal = 13;

    [SkippableFact]
    public async Task A_hundred_bad_rows_among_a_hundred_thousand_are_named_and_kept()
    {
        ServerProcess server = shared.Server();
        const int rows = 100_000;
        using var body = new MemoryStream();
        for (int start = 0; start < rows; start += 1000)
        {
            var request = new StreamGpsPointsRequest();
            for (int i = start; i < start + 1000; i++)
            {
                GpsPoint point = Point(i, "hundred");
                if (i % 1000 == 500)
                {
                    point.Location.Lat = double.NaN;
                }

                request.Points.Add(point);
            }

            body.Write(Frame(request));
        }

        RawCall.Answer answer = await RawCall.SendAsync(server.GrpcAddress, "StreamGpsPoints", body.ToArray());

        Assert.Equal(0, answer.Status);
        StreamGpsPointsResponse response = answer.Response(StreamGpsPointsResponse.Parser);
        Assert.Equal(rows - 100, response.AcceptedCount);
        Assert.Equal(100, response.RejectedCount);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (i * 1000L) + 500), response.Errors.Select(e => e.Row));
        Assert.All(response.Errors, e => Assert.Equal(("location.lat", RowErrorCode.OutOfRange), (e.Field, e.Code)));
        await server.ExpectAsync($"{rows - 100}", "SELECT count() FROM gps_points WHERE driver_id = 'hundred'");
        await server.ExpectAsync(
            "100\t100\t500\t99500",
            "SELECT count(), uniq(row), min(producer_offset), max(producer_offset) FROM dead_letters "
            + "WHERE table = 'gps_points' AND field = 'location.lat' AND reason LIKE 'OUT_OF_RANGE: %' AND position(row, 'hundred') > 0");
    }

    [SkippableTheory]
    [InlineData("driver_id", RowErrorCode.Missing)]
    [InlineData("driver_id", RowErrorCode.TooLong)]
    [InlineData("location", RowErrorCode.Missing)]
    [InlineData("location.lon", RowErrorCode.OutOfRange)]
    [InlineData("speed_kph", RowErrorCode.OutOfRange)]
    [InlineData("timestamp", RowErrorCode.OutOfRange)]
    [InlineData("timestamp", RowErrorCode.Missing)]
    [InlineData("zone_type", RowErrorCode.InvalidUtf8)]
    public async Task A_row_that_breaks_a_rule_is_told_with_field_and_code(string field, RowErrorCode code)
    {
        GpsPoint point = Point(1, "rules");
        byte[] extra = [];
        switch (field, code)
        {
            case ("driver_id", RowErrorCode.Missing):
                point.DriverId = "";
                break;
            case ("driver_id", _):
                point.DriverId = new string('d', 257);
                break;
            case ("location", _):
                point.Location = null;
                break;
            case ("location.lon", _):
                point.Location.Lon = 180.5;
                break;
            case ("speed_kph", _):
                point.SpeedKph = float.PositiveInfinity;
                break;
            case ("timestamp", RowErrorCode.Missing):
                point.Timestamp = null;
                break;
            case ("timestamp", _):
                point.Timestamp = new Timestamp { Seconds = 253_402_300_799 };
                break;
            default:
                extra = [(7 << 3) | 2, 2, 0xc3, 0x28];
                break;
        }

        byte[] row = [.. point.ToByteArray(), .. extra];
        byte[] good = new StreamGpsPointsRequest { Points = { Point(2, "rules") } }.ToByteArray();
        byte[] request = [.. good, (1 << 3) | 2, .. Length(row.Length), .. row];

        RawCall.Answer answer = await RawCall.SendAsync(
            shared.Server().GrpcAddress, "StreamGpsPoints", Frame(request));

        StreamGpsPointsResponse response = answer.Response(StreamGpsPointsResponse.Parser);
        Assert.Equal((1, 1), (response.AcceptedCount, response.RejectedCount));
        RowError error = Assert.Single(response.Errors);
        Assert.Equal((1, field, code), (error.Row, error.Field, error.Code));
    }

    [SkippableFact]
    public async Task A_message_that_cannot_be_decoded_ends_the_call_and_what_came_before_lands()
    {
        ServerProcess server = shared.Server();
        byte[] good = Frame(new StreamGpsPointsRequest { Points = { Point(1, "before"), Point(2, "before") } });
        byte[] cut = new StreamGpsPointsRequest { Points = { Point(3, "before"), Point(4, "before") } }
            .ToByteArray()[..^1];

        RawCall.Answer answer = await RawCall.SendAsync(
            server.GrpcAddress, "StreamGpsPoints", [.. good, .. Frame(cut), .. good]);

        Assert.Equal(InvalidArgument, answer.Status);
        Assert.Equal("2", answer.Trailers["ingest-accepted-count"]);
        Assert.Contains("Request 1", answer.Message, StringComparison.Ordinal);
        Assert.True(answer.Trailers.ContainsKey("grpc-status-details-bin"));
        await server.ExpectAsync("1,2", """
            SELECT arrayStringConcat(arraySort(groupArray(order_id)), ',') FROM gps_points WHERE driver_id = 'before'
            """);
    }

    [SkippableFact]
    public async Task An_empty_stream_is_answered_with_nothing()
    {
        RawCall.Answer answer = await RawCall.SendAsync(shared.Server().GrpcAddress, "StreamEvents", []);

        Assert.Equal(0, answer.Status);
        Assert.Equal(new StreamEventsResponse(), answer.Response(StreamEventsResponse.Parser));
    }

    [SkippableFact]
    public async Task A_frame_that_ends_too_early_keeps_what_came_before()
    {
        ServerProcess server = shared.Server();
        byte[] good = Frame(new StreamGpsPointsRequest { Points = { Point(1, "truncated") } });

        RawCall.Answer answer = await RawCall.SendAsync(
            server.GrpcAddress, "StreamGpsPoints", [.. good, .. good[..^1]]);

        Assert.Equal(Internal, answer.Status);
        await server.ExpectAsync("1", "SELECT count() FROM gps_points WHERE driver_id = 'truncated'");
    }

    [SkippableFact]
    public async Task A_frame_of_4_GiB_is_refused_by_its_length()
    {
        RawCall.Answer answer = await RawCall.SendAsync(
            shared.Server().GrpcAddress, "StreamGpsPoints", [0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]);

        Assert.Equal(ResourceExhausted, answer.Status);
        Assert.Contains("4294967295", answer.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_gzip_bomb_costs_no_more_than_the_limit()
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 512; i++)
            {
                gzip.Write(zeros);
            }
        }

        byte[] frame = Frame(compressed.ToArray());
        frame[0] = 1;

        RawCall.Answer answer = await RawCall.SendAsync(
            shared.Server().GrpcAddress, "StreamGpsPoints", frame, ("grpc-encoding", "gzip"));

        Assert.Equal(ResourceExhausted, answer.Status);
        Assert.Contains("16777216", answer.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_known_field_of_another_wire_type_is_skipped_as_unknown()
    {
        ServerProcess server = shared.Server();
        byte[] row = [.. Point(1, "wiretype").ToByteArray(), (7 << 3) | 0, 5, (4 << 3) | 1, 1, 2, 3, 4, 5, 6, 7, 8];
        byte[] request = [(1 << 3) | 2, .. Length(row.Length), .. row];

        RawCall.Answer answer = await RawCall.SendAsync(server.GrpcAddress, "StreamGpsPoints", Frame(request));

        Assert.Equal(1, answer.Response(StreamGpsPointsResponse.Parser).AcceptedCount);
        await server.ExpectAsync("1\t", "SELECT speed_kph, zone_type FROM gps_points WHERE driver_id = 'wiretype'");
    }

    private static byte[] Length(int length) => length < 0x80
        ? [(byte)length]
        : [(byte)(length | 0x80), (byte)(length >> 7)];
}
