using Ingest.Topics;

namespace Ingest.Agents.Tests.Hosting;

/// <summary>An agent that emits faster than updates become durable waits, and loses none.</summary>
public sealed class EmittingTests
{
    [Fact]
    public async Task An_agent_waits_for_room_and_its_updates_keep_their_order()
    {
        const int count = 6000;
        await using AgentServer server = await AgentServer.StartAsync(
            [() => new TestAgent(declare: a => a.Reads("gps_points"))
            {
                Rows = async (agent, _) =>
                {
                    for (int i = 0; i < count; i++)
                    {
                        await agent.SayAsync("said", "k", $"{i}");
                    }
                },
            }],
            topics: new TopicOptions { MaxPendingBytes = 4096 });
        await server.RunningAsync("test");
        await server.SendAsync(Rows.Point("d", 0));
        await Eventually.BeAsync(() => server.Status("test") is { Emitted: count, Failures: 0 });
        Assert.Equal(
            Enumerable.Range(0, count).Select(i => $"{i}"),
            (await server.UpdatesAsync("said")).Select(update => update.Custom.Fields["text"].StringValue));
    }
}
