using System.Diagnostics;
using System.Reflection;
using System.Runtime.Loader;
using Ingest.V1;

namespace Ingest.Agents.Tests.Loading;

/// <summary>The folder that people copy to write an agent: it builds, loads and runs.</summary>
public sealed class TemplateTests : IDisposable
{
    private static readonly string s_template = Path.Combine(Root, "docs", "agent-template");

    private readonly string _folder = Directory.CreateTempSubdirectory("ingest-agent-").FullName;

    private static string Root => typeof(TemplateTests).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "RepositoryRoot").Value!;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task An_agent_made_of_the_template_is_loaded_apart_and_runs()
    {
        string assembly = await BuildAsync();
        await using AgentServer server = await AgentServer.StartAsync(
            [], new AgentsOptions { Assemblies = [assembly] });
        await server.RunningAsync("late-orders");
        Order late = Rows.Order("late");
        late.ReadyAt = late.DueAt.Clone();
        late.ReadyAt.Seconds++;
        await server.SendAsync(Rows.Order("in-time"), late);
        await Eventually.BeAsync(() => server.Status("late-orders").Emitted == 1);
        Update alert = Assert.Single(await server.UpdatesAsync("alerts"));
        Assert.Equal(
            ("late", "late_order", "late-orders"), (alert.Key, alert.Alert.Kind, alert.Alert.Provenance.Agent));

        Assembly loaded = AssemblyLoadContext.All.SelectMany(
            c => c.Assemblies).Single(a => a.GetName().Name == "MyAgents");
        Assert.NotSame(AssemblyLoadContext.Default, AssemblyLoadContext.GetLoadContext(loaded));
        Assert.Same(typeof(Agent), loaded.GetType("LateOrders")!.BaseType);
    }

    [Fact]
    public void The_document_shows_the_templates_agent() =>
        Assert.Contains(
            File.ReadAllText(Path.Combine(s_template, "LateOrders.cs")).Trim(),
            File.ReadAllText(Path.Combine(Root, "docs", "agents.md")));

    [Theory]
    [InlineData("Google.Protobuf.dll", "derives from Agent")]
    [InlineData("xunit.runner.json", "cannot be loaded")]
    public async Task An_assembly_without_agents_is_refused_by_name(string name, string reason)
    {
        string path = Path.Combine(
            name.EndsWith("dll", StringComparison.Ordinal) ? AppContext.BaseDirectory : _folder, name);
        if (!File.Exists(path))
        {
            await File.WriteAllTextAsync(path, "no assembly");
        }

        AgentException error = await Assert.ThrowsAsync<AgentException>(
            () => AgentServer.StartAsync([], new AgentsOptions { Assemblies = [path] }));
        Assert.Contains(path, error.Message);
        Assert.Contains(reason, error.Message);
    }

    private async Task<string> BuildAsync()
    {
        foreach (string file in Directory.GetFiles(s_template))
        {
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        }

        var start = new ProcessStartInfo(
            "dotnet", ["build", _folder, "-v", "q", "-nologo", $"-p:IngestDirectory={AppContext.BaseDirectory}"])
        {
            RedirectStandardOutput = true,
        };
        using Process build = Process.Start(start)!;
        string output = await build.StandardOutput.ReadToEndAsync();
        await build.WaitForExitAsync();
        Assert.True(build.ExitCode == 0, output);
        return Path.Combine(_folder, "bin", "Debug", "net10.0", "MyAgents.dll");
    }
}
