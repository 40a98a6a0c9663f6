using Ingest.Topics;

namespace Ingest.Agents.Tests.Hosting;

/// <summary>An agent that emits faster than updates become durable waits, and loses none.</summary>
public sealed class EmittingTests
{
    private static readonly TopicOptions s_small = new() { MaxPendingBytes = 4096 };

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
            topics: s_small);
        await server.RunningAsync("test");
        await server.SendAsync(Rows.Point("d", 0));
        await Eventually.BeAsync(() => server.Status("test") is { Emitted: count, Failures: 0 });
        await ExpectAsync(server, count);
    }

    [Fact]
    public async Task One_that_does_not_wait_fails_before_it_takes_all_memory()
    {
        int taken = 0;
        await using AgentServer server = await AgentServer.StartAsync(
            [() => new TestAgent(declare: a => a.Reads("gps_points"))
            {
                Rows = (agent, rows) =>
                {
                    for (; taken < 100_000; taken++)
                    {
                        _ = agent.SayAsync("said", "k", $"{taken}").AsTask();
                    }

                    return default;
                },
            }],
            topics: s_small);
        await server.RunningAsync("test");
        await server.SendAsync(Rows.Point("d", 0));
        await Eventually.BeAsync(() => server.Status("test").Failures == 1);
        await Eventually.BeAsync(() => server.Status("test").Emitted == taken);
        Assert.InRange(taken, 1, 99_999);
        await ExpectAsync(server, taken);
    }

    private static async Task ExpectAsync(AgentServer server, int count) => Assert.Equal(
        Enumerable.Range(0, count).Select(i => $"{i}"),
        (await server.UpdatesAsync("said")).Select(update => update.Custom.Fields["text"].StringValue));
}
