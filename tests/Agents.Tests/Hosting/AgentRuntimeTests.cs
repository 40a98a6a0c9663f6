using System.Collections.Concurrent;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Agents.Tests.Hosting;

/// <summary>What the runtime gives agents, and what becomes of what they do.</summary>
public sealed class AgentRuntimeTests
{
    [Fact]
    public async Task Rows_come_in_order_on_one_thread_and_updates_name_their_row()
    {
        var speeds = new List<float>();
        var threads = new HashSet<int>();
        await using AgentServer server = await AgentServer.StartAsync(
            [() => new TestAgent(declare: a => a.Reads("gps_points"))
        {
            Rows = async (agent, rows) =>
            {
                for (int i = 0; i < rows.Count; i++)
                {
                    threads.Add(Environment.CurrentManagedThreadId);
                    float speed = rows.Block.Numbers<float>("speed_kph")[rows[i]];
                    speeds.Add(speed);
                    await Task.Yield();
                    threads.Add(Environment.CurrentManagedThreadId);
                    if (speed % 100 == 0)
                    {
                        await agent.AlertAsync($"{speed}", rows, i);
                    }
                }
            },
        }]);
        await server.RunningAsync("test");
        for (int i = 0; i < 20; i++)
        {
            await server.SendAsync(Enumerable.Range(i * 25, 25).Select(n => Rows.Point("d", n)));
        }

        await Eventually.BeAsync(() => server.Status("test") is { Rows: 500, Emitted: 5 });
        Assert.Equal(Enumerable.Range(0, 500).Select(n => (float)n), speeds);
        Assert.Single(threads);
        List<Update> updates = await server.UpdatesAsync("alerts");
        Assert.Equal(["0", "100", "200", "300", "400"], updates.Select(u => u.Key));
        Provenance provenance = updates[1].Alert.Provenance;
        Assert.Equal("test", provenance.Agent);
        Assert.StartsWith("gps_points/", Assert.Single(provenance.Inputs));
        Assert.InRange(provenance.IngestToEmit.ToTimeSpan(), TimeSpan.Zero, TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_key_is_always_the_same_partitions()
    {
        var drivers = new ConcurrentDictionary<string, TestAgent>();
        bool moved = false;
        await using AgentServer server = await AgentServer.StartAsync(
            [() => new TestAgent(partitions: 3, declare: a => a.Reads("gps_points", "driver_id"))
            {
                Rows = (agent, rows) =>
                {
                    for (int i = 0; i < rows.Count; i++)
                    {
                        moved |= drivers.GetOrAdd(rows.Block.Texts("driver_id").String(rows[i]), agent) != agent;
                    }

                    return default;
                },
            }]);
        await server.RunningAsync("test");
        for (int i = 0; i < 10; i++)
        {
            await server.SendAsync(Enumerable.Range(0, 60).Select(n => Rows.Point($"driver-{n}", i)));
        }

        await Eventually.BeAsync(() => server.Status("test").Rows == 600);
        Assert.False(moved);
        Assert.Equal(60, drivers.Count);
        Assert.Equal(3, drivers.Values.Distinct().Count());
    }

    [Fact]
    public async Task Events_go_to_the_handler_of_their_type_and_orders_to_that_of_their_message()
    {
        var late = new List<Event>();
        var orders = new List<Order>();
        await using AgentServer server = await AgentServer.StartAsync([() => new TestAgent(declare: a =>
        {
            a.OnEvent("late", e => Add(late, e));
            a.OnOrder(o => Add(orders, o));
        })]);
        await server.RunningAsync("test");
        await server.SendAsync(
            Rows.Event("early", "a"), Rows.Event("late", "b", ("reason", "rain")), Rows.Event("late", "c"));
        await server.SendAsync(Rows.Order("o1"), Rows.Order("o2", OrderStatus.Ready, "d1"));
        await Eventually.BeAsync(() => orders.Count == 2 && late.Count == 2);
        Assert.Equal([Rows.Event("late", "b", ("reason", "rain")), Rows.Event("late", "c")], late.Select(WithStruct));
        Assert.Equal([Rows.Order("o1"), Rows.Order("o2", OrderStatus.Ready, "d1")], orders);

        static Event WithStruct(Event e)
        {
            e.Properties ??= new Struct();
            return e;
        }

        static ValueTask Add<T>(List<T> list, T item)
        {
            list.Add(item);
            return default;
        }
    }

    [Fact]
    public async Task An_agent_that_throws_is_isolated_counted_backed_off_and_shown()
    {
        int calls = 0;
        var good = new TestAgent("good", declare: a => a.Reads("gps_points"));
        await using AgentServer server = await AgentServer.StartAsync(
            [
                () => new TestAgent("bad", declare: a => a.Reads("gps_points"))
                {
                    Rows = (_, rows) => calls++ < 3 ? throw new InvalidOperationException("no idea") : default,
                },
                () => good,
            ],
            new AgentsOptions { Backoff = TimeSpan.FromMilliseconds(20) });
        await server.RunningAsync("bad");
        await server.RunningAsync("good");
        for (int i = 0; i < 6; i++)
        {
            await server.SendAsync(Rows.Point("d", i));
        }

        await Eventually.BeAsync(() => server.Status("bad").Failures == 3);
        await Eventually.BeAsync(() => server.Status("good").Rows == 6);
        AgentStatus bad = server.Status("bad");
        Assert.Contains("no idea", bad.LastFault);
        Assert.NotNull(bad.LastFaultAt);
        await Eventually.BeAsync(() => server.Status("bad") is { Rows: 6, State: AgentState.Running });
        Assert.Equal(0, server.Status("good").Failures);
    }

    [Fact]
    public async Task An_agent_that_lags_gets_the_latest_point_of_each_key_and_counts_the_others()
    {
        using var go = new ManualResetEventSlim();
        var last = new Dictionary<string, float>();
        await using AgentServer server = await AgentServer.StartAsync(
            [() => new TestAgent(declare: a => a.Reads("gps_points", "driver_id", conflates: true))
            {
                Rows = (_, rows) =>
                {
                    go.Wait();
                    for (int i = 0; i < rows.Count; i++)
                    {
                        last[rows.Block.Texts("driver_id").String(rows[i])] = rows.Block.Numbers<float>(
                            "speed_kph")[rows[i]];
                    }

                    return default;
                },
            }],
            new AgentsOptions { QueueBytes = 2 << 20 });
        await server.RunningAsync("test");
        const int count = 120;
        const int drivers = 50;
        for (int i = 0; i < count; i++)
        {
            await server.SendAsync(Enumerable.Range(0, drivers).Select(n => Rows.Point($"d{n}", i)));
        }

        await Eventually.BeAsync(() => server.Status("test").ConflatedRows > 0);
        Assert.True(server.Status("test").QueuedBytes <= 2 << 20);
        go.Set();
        await Eventually.BeAsync(() => server.Status("test") is var s
            && s.Rows + s.ConflatedRows + s.DroppedRows == count * drivers && s.QueuedBytes == 0);
        Assert.Equal(drivers, last.Count);
        Assert.All(last.Values, speed => Assert.Equal(count - 1, speed));
    }

    [Fact]
    public async Task Requests_are_answered_between_rows_and_refused_with_reasons()
    {
        await using AgentServer server = await AgentServer.StartAsync([() => new TestAgent(declare: a =>
        {
            a.Reads("gps_points");
            a.OnTask("count", (
                _, _) => ValueTask.FromResult(new Struct { Fields = { ["seen"] = Value.ForNumber(a.Seen) } }));
            a.OnTask("refuse", (_, _) => throw new AgentException(AgentFault.Invalid, "not so"));
            a.OnTask("break", (_, _) => throw new InvalidOperationException("broken"));
        })]);
        await server.RunningAsync("test");
        await server.SendAsync(Rows.Point("d", 1));
        await Eventually.BeAsync(() => server.Status("test").Rows == 1);
        AgentAnswer answer = await server.Agents.RequestAsync(new AgentRequest("", "count", new Struct()), default);
        Assert.Equal("test", answer.Agent);
        Assert.Equal(1, answer.Content.Fields["seen"].NumberValue);

        AgentException unknown = await Assert.ThrowsAsync<AgentException>(() => Ask("other"));
        Assert.Equal(AgentFault.NotFound, unknown.Fault);
        Assert.Contains("break, count, refuse", unknown.Message);
        Assert.Equal(
            AgentFault.NotFound, (await Assert.ThrowsAsync<AgentException>(() => Ask("count", "nobody"))).Fault);
        Assert.Equal("not so", (await Assert.ThrowsAsync<AgentException>(() => Ask("refuse"))).Message);
        Assert.Equal(0, server.Status("test").Failures);
        AgentException broken = await Assert.ThrowsAsync<AgentException>(() => Ask("break"));
        Assert.Equal(
            (AgentFault.Failed, true), (broken.Fault, broken.Message.Contains("broken", StringComparison.Ordinal)));
        Assert.Equal(1, server.Status("test").Failures);

        Task<AgentAnswer> Ask(string type, string agent = "") =>
            server.Agents.RequestAsync(new AgentRequest("", type, new Struct()) { Agent = agent }, default);
    }

    [Fact]
    public async Task A_timer_calls_again_and_again()
    {
        int ticks = 0;
        await using AgentServer server = await AgentServer.StartAsync([() => new TestAgent(declare: a =>
            a.Every(TimeSpan.FromMilliseconds(5), async () =>
            {
                ticks++;
                await a.SayAsync("ticks", "t", $"{ticks}");
            }))]);
        await Eventually.BeAsync(() => ticks >= 5);
        await Eventually.BeAsync(() => server.Status("test").Emitted >= 5);
        Update first = (await server.UpdatesAsync("ticks"))[0];
        Assert.Equal("1", first.Custom.Fields["text"].StringValue);
        Assert.Equal("test", first.Custom.Fields["provenance"].StructValue.Fields["agent"].StringValue);
    }

    [Fact]
    public async Task Lifecycle_steps_come_in_order()
    {
        var agent = new TestAgent();
        AgentServer server = await AgentServer.StartAsync([() => agent]);
        await server.RunningAsync("test");
        await server.DisposeAsync();
        Assert.Equal(["initialize", "start", "stop"], agent.Steps);
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_an_agent_that_hangs()
    {
        using var go = new ManualResetEventSlim();
        using var hangs = new ManualResetEventSlim();
        await using AgentServer server = await AgentServer.StartAsync(
            [() => new TestAgent(declare: a => a.Reads("gps_points"))
        {
            Rows = (_, _) =>
            {
                hangs.Set();
                go.Wait();
                return default;
            },
        }]);
        await server.RunningAsync("test");
        await server.SendAsync(Rows.Point("d", 1));
        await Eventually.BeAsync(() => hangs.IsSet);
        Task stopped = server.Agents.StopAsync(TimeSpan.FromMilliseconds(50));
        await stopped.WaitAsync(TimeSpan.FromSeconds(30));
        go.Set();
    }

    [Fact]
    public async Task Two_agents_of_one_name_are_refused()
    {
        AgentException error = await Assert.ThrowsAsync<AgentException>(
            () => AgentServer.StartAsync([() => new TestAgent(), () => new TestAgent()]));
        Assert.Contains("two agents of the name test", error.Message);
    }
}
