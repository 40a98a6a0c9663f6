using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Agents.Tests.Hosting;

/// <summary>Agents that take their time to start, or cannot at first.</summary>
public sealed class StartingTests
{
    [Fact]
    public async Task It_is_made_anew_and_the_new_object_gets_the_rows()
    {
        var made = new List<LateStarter>();
        await using AgentServer server = await AgentServer.StartAsync(
            [() => new LateStarter(made)], new AgentsOptions { Backoff = TimeSpan.FromMilliseconds(10) });
        await server.RunningAsync("late-starter");
        await server.SendAsync(Rows.Order("o1"));
        await Eventually.BeAsync(() => server.Status("late-starter").Rows == 1);
        Assert.Equal(1, made[^1].Handled);
        Assert.All(made[..^1], failed => Assert.Equal(0, failed.Handled));
        Assert.Equal(1, server.Status("late-starter").Failures);
    }

    [Fact]
    public async Task A_request_and_a_change_that_come_while_it_starts_wait_for_it()
    {
        var gate = new TaskCompletionSource();
        SlowStarter agent = new(gate.Task);
        await using AgentServer server = await AgentServer.StartAsync([() => agent]);
        Task<AgentAnswer> answer = server.Agents.RequestAsync(new AgentRequest("", "limit", new Struct()), default);
        AgentConfigurationValues changed = await server.Agents.UpdateConfigurationAsync(
            "slow-starter", new Struct { Fields = { ["limit"] = Value.ForNumber(42) } }, 0, default);
        Assert.Equal((2, AgentState.Starting), (changed.Revision, server.Status("slow-starter").State));
        Assert.False(answer.IsCompleted);
        gate.SetResult();

        // The request was asked for first; what it waited for is the start alone.
        Assert.Equal(10, (await answer).Content.Fields["limit"].NumberValue);
        await Eventually.BeAsync(() => agent.Told == 42);
    }

    [Fact]
    public async Task A_request_to_one_that_could_not_start_is_refused_at_once()
    {
        var never = new TaskCompletionSource();
        never.SetException(new InvalidOperationException("not yet"));
        await using AgentServer server = await AgentServer.StartAsync(
            [() => new SlowStarter(never.Task)], new AgentsOptions { Backoff = TimeSpan.FromMinutes(5) });
        await Eventually.BeAsync(() => server.Status("slow-starter").LastFault.Length > 0);
        AgentException refused = await Assert.ThrowsAsync<AgentException>(
            () => server.Agents.RequestAsync(new AgentRequest("", "limit", new Struct()), default));
        Assert.Equal(AgentFault.Unavailable, refused.Fault);
    }

    private sealed class SlowStarter : Agent
    {
        private readonly Task _gate;
        private readonly AgentSetting<double> _limit;

        public SlowStarter(Task gate)
        {
            _gate = gate;
            _limit = Number("limit", 10, "a limit", 1, 100);
            OnTask("limit", (_, _) => new ValueTask<Struct>(
                new Struct { Fields = { ["limit"] = Value.ForNumber(_limit.Value) } }));
        }

        public double Told { get; private set; }

        protected internal override async ValueTask StartAsync(CancellationToken cancellationToken) => await _gate;

        protected internal override ValueTask OnConfigurationChangedAsync()
        {
            Told = _limit.Value;
            return default;
        }
    }

    private sealed class LateStarter : Agent
    {
        private readonly List<LateStarter> _made;
        private bool _hasTried;

        public LateStarter(List<LateStarter> made)
        {
            _made = made;
            made.Add(this);
            OnMessage<Order>("orders", _ =>
            {
                Handled++;
                return default;
            });
        }

        public int Handled { get; private set; }

        protected internal override ValueTask StartAsync(CancellationToken cancellationToken)
        {
            bool isFirst = !_made.Exists(agent => agent._hasTried);
            _hasTried = true;
            return isFirst ? throw new InvalidOperationException("not yet") : default;
        }
    }
}
