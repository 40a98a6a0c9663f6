using Ingest.Server.Grpc;
using Ingest.Server.Tests.Grpc;

namespace Ingest.Server.Tests.Http2;

/// <summary>What streams hold is given back.</summary>
[Collection(ForeignClients.Collection)]
public sealed class MemoryTests
{
    private const string Hang = "/ingest.testing.v1.ProbeService/Hang";
    private const int Streams = 1_000;
    private const int Rounds = 4;

    // The last of a thread's stack, of a queue, of a timer.
    private const int MostKept = 20;

    [Fact]
    public async Task Streams_that_are_opened_and_reset_leave_nothing_behind()
    {
        await using var host = await TestHost.StartAsync(new GrpcServerOptions { Http2 = Http2Kind.Own });
        for (var round = 0; round < Rounds; round++)
        {
            await RoundAsync(host);
        }

        Assert.Equal(Rounds * Streams, host.Requests.Count);
        await Wait.UntilAsync(() => Kept(host) <= MostKept, "streams are let go");
    }

    private static int Kept(TestHost host)
    {
        GC.Collect();
        return host.Requests.Count(request => request.IsAlive);
    }

    private static async Task RoundAsync(TestHost host)
    {
        using var leave = new CancellationTokenSource();
        var running = host.Probe.Running;
        var calls = Enumerable.Range(0, Streams).Select(async _ =>
        {
            using var request = RawCall.Request(Hang, RawCall.Bytes(Frames.Of([])));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => host.Client.SendAsync(request, leave.Token));
        }).ToList();
        await Wait.UntilAsync(() => host.Probe.Running == running + Streams, "all calls run");
        await leave.CancelAsync();
        await Task.WhenAll(calls);
        await Wait.UntilAsync(() => host.Drain.ActiveCalls == 0, "all calls have ended");
    }
}
