using Ingest.Log;
using Ingest.V1;

namespace Ingest.Agents.Tests.Hosting;

/// <summary>Rows that do not matter to an agent now are passed over, and their places with them.</summary>
public sealed class UnwantedRowsTests
{
    // So that all rows stay in the log, and would be given again after a restart.
    private static readonly LogOptions s_unsealed =
        new() { SegmentAge = TimeSpan.FromHours(1), MaxSegmentAge = TimeSpan.FromHours(1) };

    private TestAgent? _agent;

    [Fact]
    public async Task They_are_not_given_until_they_matter_and_not_after_a_restart_either()
    {
        AgentServer server = await AgentServer.StartAsync([Make], log: s_unsealed);
        await server.RunningAsync("test");
        await server.SendAsync(Rows.Point("d", 0));
        await server.SendAsync(Rows.Order("o1", OrderStatus.Delivered));
        await Eventually.BeAsync(() => server.Status("test").Rows == 2);
        await server.SendAsync(Points(1, 5));
        await server.SendAsync(Rows.Order("o2", OrderStatus.Placed));
        await Eventually.BeAsync(() => server.Status("test").Rows == 3);
        await server.SendAsync(Points(6, 3));
        await Eventually.BeAsync(() => server.Status("test").Rows == 6);
        await server.SendAsync(Rows.Order("o2", OrderStatus.Delivered));
        await Eventually.BeAsync(() => server.Status("test").Rows == 7);
        await server.SendAsync(Points(9, 4));
        Assert.Equal(4, _agent!.Seen);
        await server.StopAsync();

        await using AgentServer next = await AgentServer.StartAsync(
            [Make], directory: server.Directory, log: s_unsealed);
        await next.RunningAsync("test");
        await next.SendAsync(Points(13, 1));
        await Eventually.BeAsync(() => next.Status("test").Rows == 1);
        Assert.Equal(5, _agent.Seen);
    }

    // Points matter while an order is under way.
    private TestAgent Make() => _agent = new TestAgent(declare: agent =>
    {
        agent.Reads("gps_points");
        agent.OnOrder(order =>
        {
            agent.SetWanted("gps_points", order.Status == OrderStatus.Placed);
            return default;
        });
    });

    private static IEnumerable<GpsPoint> Points(int first, int count) =>
        Enumerable.Range(first, count).Select(n => Rows.Point("d", n));
}
