namespace Ingest.Architecture.Tests;

/// <summary>Server → Agents → Ingest → Protocol ← Client ← Cli, and Cli may read the log: the arrows of the projects.</summary>
public class ProjectReferenceTests
{
    /// <summary>What a project may refer to, by folder under <c>src</c>.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Server"] = ["Agents", "Ingest", "Protocol"],
        ["Agents"] = ["Ingest", "Protocol"],
        ["Ingest"] = ["Protocol"],
        ["Protocol"] = [],
        ["Client"] = ["Protocol"],
        ["Cli"] = ["Client", "Ingest", "Protocol"],
    };

    public static TheoryData<string> Projects => [.. Arrows.Keys];

    [Fact]
    public void The_projects_are_those_of_the_architecture() =>
        Assert.Equal(Arrows.Keys.Order(), Repository.Projects.Select(project => project.Name).Order());

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_file_points_only_along_the_arrows(string name) =>
        Assert.Empty(Project(name).ProjectReferences.Except(Arrows[name]));

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_built_assembly_uses_only_what_the_arrows_allow(string name)
    {
        IReadOnlyList<string> references = Project(name).AssemblyReferences();
        Assert.Contains("System.Runtime", references);
        Assert.Empty(Repository.Projects
            .Where(other => other.Name != name && references.Contains(other.AssemblyName))
            .Select(other => other.Name)
            .Except(Arrows[name]));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Only_the_host_knows_AspNetCore(string name)
    {
        IEnumerable<string> known = Project(name).Frameworks.Concat(Project(name).AssemblyReferences());
        bool knows = known.Any(reference =>
            reference is "Microsoft.NET.Sdk.Web" || reference.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal));
        Assert.Equal(name is "Server", knows);
    }

    private static SourceProject Project(string name) => Repository.Projects.Single(project => project.Name == name);
}
