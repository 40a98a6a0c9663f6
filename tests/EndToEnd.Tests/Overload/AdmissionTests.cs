using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Rpc;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Overload;

/// <summary>A server that is short of memory or disk says so, in band and in the status of calls.</summary>
public sealed class AdmissionTests
{
    private const int ResourceExhausted = 8;

    [Fact]
    public async Task A_full_log_slows_then_refuses_with_the_reason_and_a_time_and_keeps_what_was_acknowledged()
    {
        // The store is away for good: the log fills.
        await using ServerProcess server = await ServerProcess.StartAsync(
            null, "Store:Kind=clickhouse", "Store:ClickHouse:Shards:0=http://127.0.0.1:1", "Log:MaxBytes=4194304",
            "Log:SegmentBytes=1048576", "Admission:MaxPause=00:00:00.020");
        await using AppendCall call = await AppendCall.OpenAsync(server.GrpcAddress, "filler");
        long next = 0;
        while (call.Refusals.Count == 0)
        {
            Assert.True(next < 1_000_000, "no bound");
            call.SendPoints(next, 500);
            next += 500;
            await call.UntilAsync(c => c.Ack.DurableOffset == next || c.Refusals.Count > 0);
        }

        AppendRefusal refusal = call.Refusals[0];
        Assert.Equal(RefusalReason.Disk, refusal.Reason);
        Assert.Equal(call.Ack.DurableOffset, refusal.ExpectedOffset);
        Assert.InRange(refusal.RetryAfter.ToTimeSpan(), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));

        RawCall.Answer answer = await RawCall.SendAsync(
            server.GrpcAddress, "StreamGpsPoints",
            PointFrames.Frame(new StreamGpsPointsRequest { Points = { PointFrames.Point(1) } }));
        AssertRefused(answer, "disk", leastMilliseconds: 100); // Shorter for who has used little.
        Assert.Equal("0", answer.Trailers["ingest-accepted-count"]);

        JsonNode health = JsonNode.Parse(await server.Http.GetStringAsync("/health"))!;
        Assert.Equal("refusing", (string?)health["admission"]!["log"]!["state"]);
        Assert.Contains("limit on disk", (string?)health["faults"]!["admission"], StringComparison.Ordinal);
        Assert.Contains("disk is Hard", server.Messages, StringComparison.Ordinal);
        string metrics = await server.Http.GetStringAsync("/metrics");
        Assert.Matches("ingest_refusals_total\\{[^}]*reason=\"DISK\"\\} [1-9]", metrics);
        Assert.Matches("ingest_admission_state\\{[^}]*of=\"log\"\\} 2", metrics);

        // The same after a restart: nothing was deleted to make room, and the producer goes on where it was.
        await server.KillAsync();
        await using ServerProcess again = await ServerProcess.StartAsync(server.DataDirectory, "Store:Kind=null");
        await using AppendCall session = await AppendCall.OpenAsync(again.GrpcAddress, "filler", epoch: 2);
        Assert.Equal(call.Ack.DurableOffset, session.Opened!.DurableOffset);
        session.SendPoints(session.Opened.DurableOffset, 10);
        await session.DurableAsync(session.Opened.DurableOffset + 10);
    }

    [Fact]
    public async Task Without_memory_calls_are_refused_with_the_time_of_a_retry()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(
            null, "Store:Kind=null", $"Admission:MaxMemoryBytes={1 << 20}");
        AssertRefused(await RawCall.SendAsync(server.GrpcAddress, "StreamGpsPoints", []), "memory");
        await using AppendCall call = await AppendCall.OpenAsync(server.GrpcAddress, "nobody");
        Assert.Null(call.Opened);
        (int status, string message) = await call.EndAsync();
        Assert.Equal(ResourceExhausted, status);
        Assert.Contains("memory", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_of_too_many_rows_is_refused_for_good()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(
            null, "Store:Kind=null", "Admission:MaxRequestRowsBytes=1048576");
        var points = Enumerable.Range(0, 5000).Select(i => PointFrames.Point(i)).ToList();
        byte[] good = PointFrames.Frame(new StreamGpsPointsRequest { Points = { points.Take(10) } });
        byte[] large = PointFrames.Frame(new StreamGpsPointsRequest { Points = { points } });
        RawCall.Answer answer = await RawCall.SendAsync(server.GrpcAddress, "StreamGpsPoints", [.. good, .. large]);
        Assert.Equal((ResourceExhausted, "-1"), (answer.Status, answer.Trailers["grpc-retry-pushback-ms"]));
        Assert.Equal("10", answer.Trailers["ingest-accepted-count"]);

        await using AppendCall call = await AppendCall.OpenAsync(server.GrpcAddress, "large");
        call.Send(AppendCall.Points(0, points));
        await call.UntilAsync(c => c.Refusals.Count > 0);
        Assert.Equal((RefusalReason.TooLarge, 0), (call.Refusals[0].Reason, call.Refusals[0].ExpectedOffset));
        call.SendPoints(0, 10);
        await call.DurableAsync(10);
    }

    [Fact]
    public async Task A_frame_that_breaks_off_says_how_many_rows_landed()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(null, "Store:Kind=null");
        byte[] good = PointFrames.Frame(new StreamGpsPointsRequest { Points = { PointFrames.Point(1) } });
        RawCall.Answer answer = await RawCall.SendAsync(server.GrpcAddress, "StreamGpsPoints", [.. good, 0, 0]);
        Assert.NotEqual(0, answer.Status);
        Assert.Equal("1", answer.Trailers["ingest-accepted-count"]);
    }

    private static void AssertRefused(RawCall.Answer answer, string what, int leastMilliseconds = 1000)
    {
        Assert.Equal(ResourceExhausted, answer.Status);
        Assert.Contains(what, answer.Message, StringComparison.Ordinal);
        int pushback = int.Parse(
            answer.Trailers["grpc-retry-pushback-ms"], System.Globalization.CultureInfo.InvariantCulture);
        string details = answer.Trailers["grpc-status-details-bin"];
        var status = Google.Rpc.Status.Parser.ParseFrom(
            Convert.FromBase64String(details.PadRight((details.Length + 3) / 4 * 4, '=')));
        Assert.True(Assert.Single(status.Details).TryUnpack(out RetryInfo retry));
        Assert.InRange(pushback, leastMilliseconds, 2000);
        Assert.Equal(pushback, retry.RetryDelay.ToTimeSpan().TotalMilliseconds, tolerance: 1);
    }
}
