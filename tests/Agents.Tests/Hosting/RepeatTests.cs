using Ingest.Agents.Hosting;
using Ingest.Log;

namespace Ingest.Agents.Tests.Hosting;

/// <summary>After a kill an agent is given rows again, and does not act twice.</summary>
public sealed class RepeatTests
{
    // So that the store, which drops what it gets, gets nothing.
    private static readonly LogOptions s_unsealed =
        new() { SegmentAge = TimeSpan.FromHours(1), MaxSegmentAge = TimeSpan.FromHours(1) };

    // The directory is copied as it is: as a kill leaves it.
    [Fact]
    public async Task Rows_that_no_saved_state_has_seen_are_given_again_and_nothing_is_emitted_twice()
    {
        AgentServer server = await AgentServer.StartAsync(
            [Alerting], new AgentsOptions { SaveInterval = TimeSpan.FromHours(1) }, log: s_unsealed);
        await server.RunningAsync("test");
        await server.SendAsync(Enumerable.Range(0, 30).Select(n => Rows.Point($"d{n}", n)));
        await Eventually.BeAsync(() => server.Status("test").Emitted == 30);
        string copy = Copy(server.Directory);
        await server.DisposeAsync();

        TestAgent? again = null;
        await using AgentServer next = await AgentServer.StartAsync([() => again = Alerting()], directory: copy);
        await next.RunningAsync("test");
        Assert.Equal((30, 30), (again!.Seen, next.Status("test").Rows));
        await next.SendAsync(Rows.Point("d30", 30));
        await Eventually.BeAsync(() => next.Status("test").Emitted == 1);
        Assert.Equal(
            Enumerable.Range(0, 31).Select(n => $"d{n}"), (await next.UpdatesAsync("alerts")).Select(u => u.Key));
    }

    [Fact]
    public async Task A_saved_state_is_gone_on_from_with_the_rows_after_its_place()
    {
        bool fails = false;
        AgentServer server = await AgentServer.StartAsync(
            [() => Alerting(() => _ = fails ? throw new IOException("no room") : 0)],
            new AgentsOptions { SaveInterval = TimeSpan.FromMilliseconds(20) }, log: s_unsealed);
        await server.RunningAsync("test");
        await server.SendAsync(Enumerable.Range(0, 10).Select(n => Rows.Point($"d{n}", n)));
        string state = Path.Combine(server.Directory, "agents", "test", "0.state");
        await Eventually.BeAsync(() => File.Exists(state)
            && BitConverter.ToInt64(SavedState.Parse(File.ReadAllBytes(state)).State.Span) == 10);
        fails = true;
        await server.SendAsync(Enumerable.Range(10, 5).Select(n => Rows.Point($"d{n}", n)));
        await Eventually.BeAsync(() => server.Status("test").Emitted == 15);
        string copy = Copy(server.Directory);
        await server.DisposeAsync();

        TestAgent? again = null;
        await using AgentServer next = await AgentServer.StartAsync([() => again = Alerting()], directory: copy);
        await next.RunningAsync("test");
        Assert.Equal((15, 5), (again!.Seen, next.Status("test").Rows));
        Assert.Equal(
            Enumerable.Range(0, 15).Select(n => $"d{n}"), (await next.UpdatesAsync("alerts")).Select(u => u.Key));
    }

    private static TestAgent Alerting() => Alerting(null);

    private static TestAgent Alerting(Action? saving) => new(declare: a => a.Reads("gps_points"))
    {
        Saving = saving,
        Rows = async (agent, rows) =>
        {
            for (int i = 0; i < rows.Count; i++)
            {
                await agent.AlertAsync(rows.Block.Texts("driver_id").String(rows[i]), rows, i);
            }
        },
    };

    // As a kill leaves it: what is durable, and no more.
    private static string Copy(string directory)
    {
        string copy = Directory.CreateTempSubdirectory("ingest-agents-").FullName;
        foreach (string file in Directory.GetFiles(directory, "*", SearchOption.AllDirectories))
        {
            string path = Path.Combine(copy, Path.GetRelativePath(directory, file));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (!file.EndsWith("lock", StringComparison.Ordinal))
            {
                File.Copy(file, path);
            }
        }

        return copy;
    }
}
