using Ingest.Server.Realtime;
using Ingest.Server.Tests.Grpc;
using Ingest.Server.Tests.Observability;

namespace Ingest.Server.Tests.Realtime;

/// <summary>npm's <c>ws</c> and <c>eventsource</c> while updates come all the time.</summary>
[Collection(ObservedHost.OneAtATime)]
public sealed class ForeignRealtimeTests
{
    [SkippableFact]
    public async Task Clients_of_node_follow_and_go_on()
    {
        Skip.If(ForeignClient.WhyNoNode is not null, ForeignClient.WhyNoNode);
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { Sse = new SseOptions { RetryDelay = TimeSpan.FromMilliseconds(10) } });
        await using var source = new AlertSource(server);

        Dictionary<string, string?> cases = await ForeignClient.RunCasesAsync(
            "node", "realtime.mjs", server.Address.GetLeftPart(UriPartial.Authority));

        Assert.Equal(7, cases.Count);
        Assert.All(cases, one => Assert.True(one.Value is null, $"{one.Key}: {one.Value}"));
    }
}
