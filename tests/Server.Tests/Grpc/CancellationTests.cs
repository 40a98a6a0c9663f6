using Google.Protobuf;
using Grpc.Testing;
using Ingest.Protocol;

namespace Ingest.Server.Tests.Grpc;

public class CancellationTests : TransportTests
{
    private const string Hang = "/ingest.testing.v1.ProbeService/Hang";
    private const string Count = "/ingest.testing.v1.ProbeService/Count";
    private const string Flood = "/ingest.testing.v1.ProbeService/Flood";
    private const string Refuse = "/ingest.testing.v1.ProbeService/Refuse";

    [Theory]
    [InlineData(Hang)]
    [InlineData(Count)]
    public async Task The_deadline_of_the_client_is_kept_by_the_server(string path)
    {
        await using var host = await StartAsync();
        var body = new StreamedContent();
        body.Write(Frames.Of([]));
        if (path == Hang)
        {
            body.Complete();
        }

        // Long enough for the first call of a process to have begun: a deadline that has passed runs nothing.
        var call = await RawCall.SendAsync(host.Client, path, body, ("grpc-timeout", "500m"));

        Assert.Equal(StatusCode.DeadlineExceeded, call.Status);
        Assert.Equal(1, host.Probe.Cancelled);
        body.Complete();
    }

    [Fact]
    public async Task A_deadline_that_has_passed_runs_nothing()
    {
        await using var host = await StartAsync();

        var call = await RawCall.SendAsync(host.Client, Hang, Frames.Of([]), ("grpc-timeout", "0n"));

        Assert.Equal(StatusCode.DeadlineExceeded, call.Status);
        Assert.Equal(0, host.Probe.Cancelled);
    }

    [Fact]
    public async Task A_deadline_far_ahead_is_no_trouble()
    {
        await using var host = await StartAsync();

        var call = await RawCall.SendAsync(host.Client, "/grpc.testing.TestService/EmptyCall", Frames.Of([]),
            ("grpc-timeout", "99999999H"));

        Assert.Equal(StatusCode.Ok, call.Status);
    }

    [Theory]
    [InlineData(Hang)]
    [InlineData(Count)]
    [InlineData(Flood)]
    public async Task A_client_that_leaves_cancels_the_service(string path)
    {
        await using var host = await StartAsync();
        var body = new StreamedContent();
        body.Write(Frames.Of([]));
        if (path != Count)
        {
            body.Complete();
        }

        using var leave = new CancellationTokenSource();
        using var request = RawCall.Request(path, body);
        var call = host.Client.SendAsync(request, leave.Token);
        await Wait.UntilAsync(() => host.Probe.Running == 1, "the call runs");

        await leave.CancelAsync();

        await Wait.UntilAsync(() => host.Probe.Cancelled == 1, "the service is cancelled");
        await Wait.UntilAsync(() => host.Drain.ActiveCalls == 0, "the call has ended");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        body.Complete();
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_the_service_back_and_nothing_else()
    {
        await using var host = await StartAsync();
        await using var call = await OpenCall.StartAsync(host.Client, Flood, RawCall.Bytes(Frames.Of([])));
        var stalled = await StalledAsync(host);

        // 16 KiB each: what lies in the windows and buffers of both sides.
        Assert.InRange(stalled, 1, 1000);
        var other = await RawCall.SendAsync(host.Client, "/grpc.testing.TestService/EmptyCall", Frames.Of([]));
        Assert.Equal(StatusCode.Ok, other.Status);

        var buffer = new byte[16 * 1024];
        for (var read = 0L; read < (stalled + 100) * buffer.Length;)
        {
            read += await call.Body.ReadAsync(buffer);
        }

        Assert.True(host.Probe.Flooded > stalled);
    }

    [Fact]
    public async Task A_client_that_does_not_read_cannot_outlive_its_deadline()
    {
        await using var host = await StartAsync();
        await using var call = await OpenCall.StartAsync(host.Client, Flood, RawCall.Bytes(Frames.Of([])),
            ("grpc-timeout", "200m"));

        await Wait.UntilAsync(() => host.Probe.Cancelled == 1, "the service is cancelled");
        await Wait.UntilAsync(() => host.Drain.ActiveCalls == 0, "the call has ended");
    }

    [Fact]
    public async Task An_early_error_reaches_a_client_that_still_sends()
    {
        await using var host = await StartAsync();
        var part = Frames.Of(new Payload { Body = ByteString.CopyFrom(new byte[64 * 1024]) });
        for (var round = 0; round < 20; round++)
        {
            var body = new StreamedContent();
            var call = RawCall.SendAsync(host.Client, Refuse, body);
            for (var sent = 0; sent < 500 && !call.IsCompleted; sent++)
            {
                body.Write(part);
                await Task.Yield();
            }

            var result = await call;

            Assert.Equal(StatusCode.FailedPrecondition, result.Status);
            Assert.Equal("not today", result.Message);
            body.Complete();
        }
    }

    [Fact]
    public async Task Calls_that_end_early_do_not_eat_the_connections_window()
    {
        await using var host = await StartAsync(
            new() { ConnectionWindowBytes = 131_072, StreamWindowBytes = 65_536 });
        var part = Frames.Of(new Payload { Body = ByteString.CopyFrom(new byte[60 * 1024]) });
        for (var round = 0; round < 20; round++)
        {
            var body = new StreamedContent();
            body.Write(part);
            body.Write(part);
            var result = await RawCall.SendAsync(host.Client, Refuse, body);
            Assert.Equal(StatusCode.FailedPrecondition, result.Status);
            body.Complete();
        }
    }

    [Fact]
    public async Task A_client_that_does_not_read_cannot_hold_up_the_drain()
    {
        await using var host = await StartAsync();
        await using var call = await OpenCall.StartAsync(host.Client, Flood, RawCall.Bytes(Frames.Of([])));
        await StalledAsync(host);

        Assert.True(await host.Drain.RunAsync(TimeSpan.Zero).WaitAsync(Wait.Limit));

        Assert.Equal(1, host.Probe.Cancelled);
    }

    /// <summary>How much was flooded when no more came for 40 looks in a row.</summary>
    private static async Task<long> StalledAsync(TestHost host)
    {
        var (last, same) = (0L, 0);
        await Wait.UntilAsync(() =>
        {
            var now = host.Probe.Flooded;
            same = now == last && now > 0 ? same + 1 : 0;
            last = now;
            return same == 40;
        }, "the flood stalls");
        return last;
    }
}
