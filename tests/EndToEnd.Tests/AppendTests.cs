using Google.Protobuf;
using Ingest.Schema;
using Ingest.V1;
using static Ingest.EndToEnd.Tests.AppendCall;

namespace Ingest.EndToEnd.Tests;

/// <summary>Append over the wire: what is acknowledged, refused, fenced.</summary>
public sealed class AppendTests(AppendServer server) : IClassFixture<AppendServer>
{
    private const int Aborted = 10;
    private const int InvalidArgument = 3;
    private const int NotFound = 5;

    [Fact]
    public async Task A_producer_that_reconnects_goes_on_where_it_was()
    {
        await using (AppendCall first = await OpenAsync(server.Address, "reconnect"))
        {
            Assert.Equal((0L, 0L), (first.Opened!.DurableOffset, first.Opened.StoredOffset));
            Assert.Equal(AppendServer.CreditBytes, first.Opened.CreditBytes);
            Assert.Equal(AppendServer.MaxRequestBytes, first.Opened.MaxRequestBytes);
            first.SendPoints(0, 10);
            await first.DurableAsync(10);
        }

        await using AppendCall second = await OpenAsync(server.Address, "reconnect");
        Assert.Equal(10, second.Opened!.DurableOffset);
        second.SendPoints(5, 10);
        await second.DurableAsync(15);
        Assert.Equal(15, second.Ack.ReceivedOffset);
        second.Complete();
        Assert.Equal(0, (await second.EndAsync()).Status);
    }

    [Fact]
    public async Task Rows_that_have_come_before_are_acknowledged_again()
    {
        await using AppendCall call = await OpenAsync(server.Address, "again");
        call.SendPoints(0, 10);
        await call.DurableAsync(10);
        call.SendPoints(2, 3);
        Assert.NotNull(await NextAckAsync(call));
        Assert.Equal((10L, 10L), (call.Ack.ReceivedOffset, call.Ack.DurableOffset));
        Assert.Empty(call.Refusals);
    }

    [Fact]
    public async Task A_gap_is_refused_once_until_the_offset_fits()
    {
        await using AppendCall call = await OpenAsync(server.Address, "gap");
        call.SendPoints(0, 10);
        call.SendPoints(20, 5);
        call.SendPoints(25, 5);
        call.SendPoints(30, 5);
        call.SendPoints(10, 10);
        await call.DurableAsync(20);
        call.SendPoints(20, 5);
        await call.DurableAsync(25);

        AppendRefusal refusal = Assert.Single(call.Refusals);
        Assert.Equal((RefusalReason.Gap, 20L, 10L), (refusal.Reason, refusal.Offset, refusal.ExpectedOffset));
        call.SendPoints(40, 1);
        await call.UntilAsync(c => c.Refusals.Count == 2);
        Assert.Equal(25, call.Refusals[1].ExpectedOffset);
    }

    [Fact]
    public async Task A_producer_that_is_not_known_and_does_not_begin_at_0_is_told_so()
    {
        await using AppendCall call = await OpenAsync(server.Address, "stranger");
        call.SendPoints(100, 1);
        await call.UntilAsync(c => c.Refusals.Count == 1);
        Assert.Equal((RefusalReason.Gap, 0L), (call.Refusals[0].Reason, call.Refusals[0].ExpectedOffset));
        Assert.Contains("not known here, or has expired", call.Refusals[0].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public async Task A_session_with_a_newer_or_equal_epoch_ends_the_older_one(long epoch)
    {
        string producer = $"fenced-{epoch}";
        await using AppendCall old = await OpenAsync(server.Address, producer);
        old.SendPoints(0, 10);
        await old.DurableAsync(10);
        await using AppendCall current = await OpenAsync(server.Address, producer, epoch);
        Assert.Equal(10, current.Opened!.DurableOffset);

        (int status, string message) = await old.EndAsync();
        Assert.Equal(Aborted, status);
        Assert.Contains("has taken over", message, StringComparison.Ordinal);
        current.SendPoints(10, 1);
        await current.DurableAsync(11);
    }

    [Fact]
    public async Task A_session_with_an_older_epoch_is_refused()
    {
        await using AppendCall current = await OpenAsync(server.Address, "older", epoch: 5);
        await using AppendCall old = await OpenAsync(server.Address, "older", epoch: 4);
        Assert.Null(old.Opened);
        Assert.Equal(Aborted, (await old.EndAsync()).Status);
        current.SendPoints(0, 1);
        await current.DurableAsync(1);
    }

    [Fact]
    public async Task Rejected_rows_have_offsets_and_are_told_with_them()
    {
        await using AppendCall call = await OpenAsync(server.Address, "rejects");
        call.SendPoints(0, 3);
        call.Send(Points(3, [Bad(), PointFrames.Point(4), Bad(), Bad(), PointFrames.Point(7)]));
        call.Send(Points(8, [Bad(), Bad()]));
        await call.DurableAsync(10);

        Assert.Equal([3L, 5, 6, 8, 9], call.Errors.Select(error => error.Row));
        Assert.All(call.Errors, error => Assert.Equal((RowErrorCode.Missing, "driver_id"), (error.Code, error.Field)));
        Assert.Equal(5, call.Ack.RejectedCount);

        await using AppendCall again = await OpenAsync(server.Address, "rejects");
        Assert.Equal(10, again.Opened!.DurableOffset);
    }

    [Fact]
    public async Task A_sender_without_an_id_needs_no_offsets()
    {
        await using AppendCall call = await OpenAsync(server.Address, "");
        call.SendPoints(0, 3);
        call.Send(Points(0, [PointFrames.Point(1), Bad()]));
        await call.DurableAsync(5);
        Assert.Equal(4, Assert.Single(call.Errors).Row);
        call.Complete();
        Assert.Equal(0, (await call.EndAsync()).Status);
    }

    [Fact]
    public async Task Received_is_acknowledged_at_once_and_durable_follows()
    {
        await using AppendCall call = await OpenAsync(server.Address, "received", level: AckLevel.Received);
        call.SendPoints(0, 3);
        await call.UntilAsync(c => c.Ack.ReceivedOffset == 3);
        await call.DurableAsync(3);
    }

    [Fact]
    public async Task Rows_of_another_table_or_schema_are_refused_in_band()
    {
        await using AppendCall call = await OpenAsync(server.Address, "schema");
        call.Send(new AppendRequest { Rows = new AppendRows { Events = new EventRows { Events = { new Event() } } } });
        call.Send(new AppendRequest { Rows = new AppendRows { EventColumns = new EventColumns { RowCount = 1 } } });
        call.Send(Serialized(0));
        await call.UntilAsync(c => c.Refusals.Count == 3);
        Assert.All(call.Refusals, refusal => Assert.Equal(RefusalReason.Schema, refusal.Reason));
        call.SendPoints(0, 1);
        await call.DurableAsync(1);
    }

    [Fact]
    public async Task Columns_have_offsets_as_rows_do()
    {
        await using AppendCall call = await OpenAsync(server.Address, "columns");
        call.SendPoints(0, 3);
        GpsPointColumns columns = PointFrames.ColumnsOf(3, 7);
        columns.SpeedKph[1] = -1;
        columns.SpeedKph[2] = float.NaN;
        call.Send(new AppendRequest { Rows = new AppendRows { Offset = 3, GpsPointColumns = columns } });
        call.Send(new AppendRequest { Rows = new AppendRows { Offset = 8, GpsPointColumns = PointFrames.ColumnsOf(8, 7) } });
        call.Send(new AppendRequest { Rows = new AppendRows { Offset = 3, GpsPointColumns = columns } });
        await call.DurableAsync(15);

        Assert.Equal([4L, 5], call.Errors.Select(error => error.Row));
        Assert.All(call.Errors, error => Assert.Equal((RowErrorCode.OutOfRange, "speed_kph"), (error.Code, error.Field)));
        Assert.Equal(2, call.Ack.RejectedCount);
        Assert.Empty(call.Refusals);
    }

    [Fact]
    public async Task Columns_that_make_no_rows_end_the_session_and_name_the_column()
    {
        await using AppendCall call = await OpenAsync(server.Address, "misfits");
        GpsPointColumns columns = PointFrames.ColumnsOf(0, 5);
        columns.LocationLon.RemoveAt(4);
        call.Send(new AppendRequest { Rows = new AppendRows { GpsPointColumns = columns } });

        (int status, string message) = await call.EndAsync();
        Assert.Equal(InvalidArgument, status);
        Assert.Contains("location_lon", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serialized_rows_with_the_tables_fingerprint_are_taken()
    {
        ByteString fingerprint = ByteString.CopyFrom(TableSchema.FromDescriptor(GpsPoint.Descriptor).Fingerprint.Span);
        await using AppendCall call = await OpenAsync(server.Address, "serialized", fingerprint: fingerprint);
        Assert.Equal(fingerprint, call.Opened!.SchemaFingerprint);
        call.Send(Serialized(0));
        await call.DurableAsync(2);
    }

    [Fact]
    public async Task A_message_that_cannot_be_decoded_ends_the_session_and_earlier_ones_stay()
    {
        await using AppendCall call = await OpenAsync(server.Address, "malformed");
        call.SendPoints(0, 5);
        var broken = new AppendRequest
        {
            Rows = new AppendRows
            {
                Offset = 5,
                Serialized = new SerializedRows { Rows = { ByteString.CopyFrom(1, 2, 3) } },
            },
        }.ToByteArray();
        broken[1] = 0x7f;
        call.SendFrame(PointFrames.Frame(broken));

        (int status, string message) = await call.EndAsync();
        Assert.Equal(InvalidArgument, status);
        Assert.Contains("Request 2", message, StringComparison.Ordinal);
        Assert.Equal(5, call.Ack.DurableOffset);
        Assert.Equal("5", call.Status()["ingest-accepted-count"]);
        await using AppendCall again = await OpenAsync(server.Address, "malformed");
        Assert.Equal(5, again.Opened!.DurableOffset);
    }

    [Fact]
    public async Task A_row_that_cannot_be_decoded_ends_the_session_and_nothing_of_its_request_stays()
    {
        await using AppendCall call = await OpenAsync(server.Address, "broken row");
        call.Send(Points(0, [PointFrames.Point(0)]));
        byte[] request = Points(1, [PointFrames.Point(1), new GpsPoint { DriverId = "x", OrderId = "ab" }]).ToByteArray();
        request[^3] = 0x7f;
        call.SendFrame(PointFrames.Frame(request));
        Assert.Equal(InvalidArgument, (await call.EndAsync()).Status);
        Assert.Equal(1, call.Ack.DurableOffset);
    }

    [Fact]
    public async Task What_is_no_session_is_refused_with_the_reason()
    {
        await using AppendCall rows = await StartAsync(server.Address, Points(0, [PointFrames.Point(0)]));
        Assert.Equal(InvalidArgument, (await rows.EndAsync()).Status);
        await using AppendCall table = await OpenAsync(server.Address, "p", table: "nothing");
        (int status, string message) = await table.EndAsync();
        Assert.Equal(NotFound, status);
        Assert.Contains("gps_points", message, StringComparison.Ordinal);
        await using AppendCall epoch = await OpenAsync(server.Address, "p", epoch: -1);
        Assert.Equal(InvalidArgument, (await epoch.EndAsync()).Status);
        await using AppendCall id = await OpenAsync(server.Address, new string('p', 257));
        Assert.Equal(InvalidArgument, (await id.EndAsync()).Status);
        await using AppendCall twice = await OpenAsync(server.Address, "twice");
        twice.Send(new AppendRequest { Open = new AppendOpen { Table = "gps_points" } });
        Assert.Equal(InvalidArgument, (await twice.EndAsync()).Status);
    }

    [Fact]
    public async Task Of_a_oneof_the_last_member_counts_and_pieces_are_merged()
    {
        await using AppendCall call = await OpenAsync(server.Address, "oneof");
        byte[] first = Points(0, [PointFrames.Point(0)]).ToByteArray();
        byte[] second = Points(0, [PointFrames.Point(1), PointFrames.Point(2)]).ToByteArray();
        byte[] other = new AppendRequest { Rows = new AppendRows { Events = new EventRows { Events = { new Event() } } } }.ToByteArray();
        call.SendFrame(PointFrames.Frame([.. first, .. second]));
        await call.DurableAsync(3);
        byte[] rest = Points(3, [PointFrames.Point(3)]).ToByteArray();
        call.SendFrame(PointFrames.Frame([.. other, .. rest]));
        await call.DurableAsync(4);
        Assert.Empty(call.Refusals);
    }

    [Fact]
    public async Task A_client_that_vanishes_is_no_failure_of_the_service()
    {
        int before = await server.CountEndedAsync("CANCELLED");
        for (int i = 0; i < 10; i++)
        {
            await using AppendCall call = await OpenAsync(server.Address, $"gone-{i}");
            call.SendPoints(0, 100);
            await call.DurableAsync(100);
            call.SendPoints(100, 100);
        }

        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (await server.CountEndedAsync("CANCELLED") < before + 10)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), "the sessions did not end CANCELLED in 60 s");
            await Task.Delay(50);
        }

        Assert.Equal(0, await server.CountEndedAsync("UNKNOWN"));
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_slowed_and_then_ended()
    {
        int before = await server.CountEndedAsync("RESOURCE_EXHAUSTED");
        await using AppendCall call = await OpenAsync(server.Address, "");
        for (int i = 0; i < 20_000; i++)
        {
            call.Send(Points(0, [.. Enumerable.Repeat(Bad(), 100)]));
        }

        // Two million errors, none of which is read: the server holds some and waits, then takes no more.
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (await server.CountEndedAsync("RESOURCE_EXHAUSTED") == before)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), "the session did not end in 60 s");
            await Task.Delay(50);
        }

        await using AppendCall other = await OpenAsync(server.Address, "beside the one that does not read");
        other.SendPoints(0, 1);
        await other.DurableAsync(1);
    }

    private static GpsPoint Bad() => new();

    private static AppendRequest Serialized(long offset) => new()
    {
        Rows = new AppendRows
        {
            Offset = offset,
            Serialized = new SerializedRows
            {
                Rows = { PointFrames.Point(0).ToByteString(), PointFrames.Point(1).ToByteString() },
            },
        },
    };

    private static async Task<AppendAck?> NextAckAsync(AppendCall call)
    {
        while (await call.ReadAsync() is { } response)
        {
            if (response.Ack is { } ack)
            {
                return ack;
            }
        }

        return null;
    }
}
