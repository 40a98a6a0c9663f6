using Google.Rpc;
using Grpc.Health.V1;
using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.Testing.V1;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Ingest.Server.Tests.Grpc;

public class DrainTests : TransportTests
{
    private const string Hang = "/ingest.testing.v1.ProbeService/Hang";
    private const string Count = "/ingest.testing.v1.ProbeService/Count";
    private const string Flood = "/ingest.testing.v1.ProbeService/Flood";

    [Fact]
    public async Task Running_calls_finish_and_new_ones_are_refused()
    {
        await using var host = await StartAsync();
        var body = new StreamedContent();
        body.Write(Frames.Of([]));
        var running = RawCall.SendAsync(host.Client, Count, body);
        await Wait.UntilAsync(() => host.Probe.Counted == 1, "the call runs");

        var draining = host.Drain.RunAsync(TimeSpan.FromSeconds(20));

        Assert.True(host.Drain.Started.IsCancellationRequested);
        var health = await RawCall.SendAsync(host.Client, "/grpc.health.v1.Health/Check", Frames.Of([]));
        Assert.Equal(ServingStatus.NotServing, health.Single(HealthCheckResponse.Parser).Status);
        var refused = await RawCall.SendAsync(host.Client, Count, Frames.Of([]));
        Assert.Equal(StatusCode.Unavailable, refused.Status);
        Assert.Equal("1000", refused.Header("grpc-retry-pushback-ms"));
        Assert.Equal(1, refused.Details!.Details.Single().Unpack<RetryInfo>().RetryDelay.Seconds);

        Assert.False(draining.IsCompleted);
        body.Write(Frames.Of([]));
        body.Complete();
        var finished = await running;
        Assert.Equal(StatusCode.Ok, finished.Status);
        Assert.Equal(2, finished.Single(CountResponse.Parser).Count);
        Assert.True(await draining.WaitAsync(Wait.Limit));
    }

    [Theory]
    [InlineData(Hang)]
    [InlineData(Count)]
    [InlineData(Flood)]
    public async Task A_call_that_does_not_end_is_ended_UNAVAILABLE(string path)
    {
        await using var host = await StartAsync();
        var body = new StreamedContent();
        body.Write(Frames.Of([]));
        if (path != Count)
        {
            body.Complete();
        }

        var running = RawCall.SendAsync(host.Client, path, body);
        await Wait.UntilAsync(() => host.Probe.Running == 1, "the call runs");

        Assert.True(await host.Drain.RunAsync(TimeSpan.FromMilliseconds(50)).WaitAsync(Wait.Limit));

        var call = await running;
        Assert.Equal(StatusCode.Unavailable, call.Status);
        Assert.Equal("The server is shutting down.", call.Message);
        Assert.Equal(1, call.Details!.Details.Single().Unpack<RetryInfo>().RetryDelay.Seconds);
        body.Complete();
    }

    [Fact]
    public async Task A_server_without_calls_drains_at_once()
    {
        await using var host = await StartAsync();

        Assert.True(await host.Drain.RunAsync(TimeSpan.FromHours(1)).WaitAsync(Wait.Limit));
    }

    [Fact]
    public async Task The_host_drains_before_it_closes_connections()
    {
        await using var host = await StartAsync();
        var body = new StreamedContent();
        body.Write(Frames.Of([]));
        var running = RawCall.SendAsync(host.Client, Count, body);
        await Wait.UntilAsync(() => host.Probe.Counted == 1, "the call runs");

        var stopping = host.StopAsync();
        await Wait.UntilAsync(() => host.Drain.Started.IsCancellationRequested, "the drain has started");
        body.Write(Frames.Of([]));
        body.Complete();

        Assert.Equal(2, (await running).Single(CountResponse.Parser).Count);
        await stopping.WaitAsync(Wait.Limit);
    }

    [Fact]
    public async Task A_watch_is_told_and_does_not_hold_the_drain_up()
    {
        await using var host = await StartAsync();
        await using var watch = await OpenCall.StartAsync(host.Client, "/grpc.health.v1.Health/Watch",
            RawCall.Bytes(Frames.Of([])));
        Assert.Equal(ServingStatus.Serving, (await watch.ReadAsync(HealthCheckResponse.Parser)).Status);
        host.Health.Set(HealthStatus.Server, ServingStatus.NotServing);
        Assert.Equal(ServingStatus.NotServing, (await watch.ReadAsync(HealthCheckResponse.Parser)).Status);
        host.Health.Set(HealthStatus.Server, ServingStatus.Serving);
        Assert.Equal(ServingStatus.Serving, (await watch.ReadAsync(HealthCheckResponse.Parser)).Status);

        Assert.True(await host.Drain.RunAsync(TimeSpan.FromHours(1)).WaitAsync(Wait.Limit));

        Assert.Equal(ServingStatus.NotServing, (await watch.ReadAsync(HealthCheckResponse.Parser)).Status);
        Assert.Equal(StatusCode.Unavailable, (await watch.EndAsync()).Status);
    }

    [Fact]
    public void What_is_down_stays_down()
    {
        var health = new HealthStatus();
        health.SetDown();

        health.Set(HealthStatus.Server, ServingStatus.Serving);

        Assert.Equal(ServingStatus.NotServing, health.Get(HealthStatus.Server));
    }
}
