using Ingest.V1;

namespace Ingest.Agents.Tests.Hosting;

/// <summary>An agent that cannot start at first.</summary>
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
