using System.Text.RegularExpressions;

namespace Ingest.Architecture.Tests;

/// <summary>The folders of the checkout are those that architecture.md and CONTRIBUTING.md name.</summary>
public partial class LayoutTests
{
    /// <summary>Made by builds, tests and servers; git ignores them.</summary>
    private static readonly string[] Made = ["bin", "obj", "data", "TestResults", "BenchmarkDotNet.Artifacts"];

    [Fact]
    public void The_top_folders_are_known() =>
        Assert.Empty(Directory.EnumerateDirectories(Repository.Root)
            .Select(path => Path.GetFileName(path)!)
            .Where(name => !name.StartsWith('.'))
            .Except(Made)
            .Except(["protos", "src", "bench", "tests", "docs", "script"]));

    [Theory]
    [InlineData("Ingest.sln")]
    [InlineData("buf.yaml")]
    [InlineData("global.json")]
    [InlineData("LICENSE")]
    [InlineData("script/server")]
    [InlineData("script/test")]
    [InlineData(".ci/run")]
    public void A_file_that_others_rely_on_is_there(string path) =>
        Assert.True(File.Exists(Path.Combine(Repository.Root, path)));

    [Fact]
    public void The_contract_is_defined_in_protos_alone() =>
        Assert.Empty(Repository.Files("src", "*.proto"));

    [Fact]
    public void Every_project_is_in_the_solution_and_nothing_else_is()
    {
        IEnumerable<string> listed = ProjectPath()
            .Matches(File.ReadAllText(Path.Combine(Repository.Root, "Ingest.sln")))
            .Select(match => match.Groups["path"].Value.Replace('\\', '/'));
        IEnumerable<string> found =
            [.. Repository.Files("src", "*.csproj"), .. Repository.Files("tests", "*.csproj"),
                .. Repository.Files("bench", "*.csproj")];
        Assert.Equal(found.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    [GeneratedRegex("""= "[^"]*", "(?<path>[^"]*\.csproj)",""")]
    private static partial Regex ProjectPath();
}
