using Ingest.Agents.Hosting;
using Ingest.Feed;
using Ingest.Stores;
using Ingest.Stores.Embedded;

namespace Ingest.Agents.Tests.Hosting;

/// <summary>What an agent knows after a restart, and that it does not act twice.</summary>
public sealed class RestartTests
{
    [Fact]
    public async Task A_clean_restart_gives_no_row_again()
    {
        AgentServer server = await AgentServer.StartAsync([Counting]);
        await server.RunningAsync("test");
        await server.SendAsync(Enumerable.Range(0, 30).Select(n => Rows.Point("d", n)));
        await server.StopAsync();

        TestAgent? again = null;
        await using AgentServer next = await AgentServer.StartAsync(
            [() => again = Counting()], directory: server.Directory);
        await next.RunningAsync("test");
        Assert.Equal((30, 0), (again!.Seen, next.Status("test").Rows));
        await next.SendAsync(Rows.Point("d", 31));
        await Eventually.BeAsync(() => again.Seen == 31);
    }

    [SkippableFact]
    public async Task What_the_log_has_let_go_comes_from_the_store()
    {
        Skip.IfNot(EmbeddedStore.WhyMissing(new StoreOptions()) is null, "no engine");
        AgentServer server = await AgentServer.StartAsync(
            [Counting], new AgentsOptions { SaveInterval = TimeSpan.FromMilliseconds(20) },
            store: StoreOptions.EmbeddedKind,
            log: new() { KeptBytes = 0 });
        await server.RunningAsync("test");
        await server.SendAsync(Enumerable.Range(0, 10).Select(n => Rows.Point($"d{n}", n)));
        string state = Path.Combine(server.Directory, "agents", "test", "0.state");
        await Eventually.BeAsync(() => File.Exists(state)
            && BitConverter.ToInt64(SavedState.Parse(File.ReadAllBytes(state)).State.Span) == 10);
        byte[] saved = File.ReadAllBytes(state);
        await server.Pipeline.Log.SealAsync();
        await server.SendAsync(Enumerable.Range(10, 5).Select(n => Rows.Point($"d{n}", n, n, -n, $"o{n}")));
        await server.StopAsync();
        File.WriteAllBytes(state, saved);

        TestAgent? again = null;
        var orders = new List<string>();
        var speeds = new List<float>();
        await using AgentServer next = await AgentServer.StartAsync(
            [() => again = new TestAgent(declare: a => a.Reads("gps_points"))
            {
                Rows = (_, rows) =>
                {
                    for (int i = 0; i < rows.Count; i++)
                    {
                        orders.Add(rows.Block.Texts("order_id").String(rows[i]));
                        speeds.Add(rows.Block.Numbers<float>("speed_kph")[rows[i]]);
                    }

                    return default;
                },
            }],
            directory: server.Directory, store: StoreOptions.EmbeddedKind);
        await next.RunningAsync("test");
        Assert.Equal((15, 5), (again!.Seen, next.Status("test").Rows));
        Assert.Equal(Enumerable.Range(10, 5).Select(n => $"o{n}"), orders);
        Assert.Equal(Enumerable.Range(10, 5).Select(n => (float)n), speeds);
    }

    [Fact]
    public void A_damaged_state_is_not_taken_for_one()
    {
        var state = new SavedState(
            1, 2, DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000),
            new Dictionary<string, BlockPlace> { ["orders"] = new(77, 5) }, new byte[] { 1, 2, 3 });
        byte[] file = state.ToArray();
        SavedState read = SavedState.Parse(file);
        Assert.Equal(
            (state.StateVersion, state.Partitions, state.SavedAt), (read.StateVersion, read.Partitions, read.SavedAt));
        Assert.Equal(new BlockPlace(77, 5), read.Places["orders"]);
        Assert.Equal([1, 2, 3], read.State.ToArray());
        for (int i = 0; i < file.Length; i++)
        {
            byte[] damaged = [.. file];
            damaged[i] ^= 0x10;
            Assert.Throws<InvalidDataException>(() => SavedState.Parse(damaged));
            Assert.Throws<InvalidDataException>(() => SavedState.Parse(file[..i]));
        }
    }

    private static TestAgent Counting() => new(declare: a => a.Reads("gps_points"));
}
