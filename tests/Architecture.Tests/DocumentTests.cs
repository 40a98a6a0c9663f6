using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Ingest.Architecture.Tests;

/// <summary>What the documents say of the code is there.</summary>
public partial class DocumentTests
{
    private static readonly string[] Documents =
    [
        .. Directory.GetFiles(Repository.Root, "*.md").Select(path => Path.GetFileName(path)!),
        .. Repository.Files("docs", "*.md"),
    ];

    private static readonly string[] NodeProjects = ["script/engine", "script/tools", "tests/Foreign"];

    [Fact]
    public void Every_link_leads_to_a_file()
    {
        var links = Links(Link()).ToList();
        Assert.NotEmpty(links);
        AssertNone(
            from link in links
            where !Path.Exists(link.Target)
            select $"{link.Document}: there is no {link.Target}");
    }

    [Fact]
    public void Every_method_is_in_the_file_that_its_link_names()
    {
        var links = Links(CodeLink()).Where(link => File.Exists(link.Target)).ToList();
        Assert.NotEmpty(links);
        AssertNone(
            from link in links
            let code = new SourceFile(link.Target, File.ReadAllText(link.Target)).Code
            from name in link.Name.Split('.')
            where !Regex.IsMatch(code, $@"\b{name}\b")
            select $"{link.Document}: {link.Target} has no {name}");
    }

    [Fact]
    public void Every_dependency_is_explained()
    {
        string explained = File.ReadAllText(Path.Combine(Repository.Root, "docs", "dependencies.md"));
        IEnumerable<string> packages = XDocument.Load(Path.Combine(Repository.Root, "Directory.Packages.props"))
            .Descendants("PackageVersion").Select(package => (string)package.Attribute("Include")!);
        IEnumerable<string> modules =
            from manifest in NodeProjects
            let json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, manifest, "package.json")))
            from section in json.RootElement.EnumerateObject()
            where section.Name is "dependencies" or "devDependencies"
            from module in section.Value.EnumerateObject()
            select module.Name;
        AssertNone(packages.Concat(modules)
            .Where(name => !Regex.IsMatch(explained, $@"(?<![\w./-]){Regex.Escape(name)}(?![\w-]|\.\w)"))
            .Select(name => $"docs/dependencies.md does not name {name}"));
    }

    private static IEnumerable<(string Document, string Target, string Name)> Links(Regex pattern) =>
        from document in Documents
        let path = Path.Combine(Repository.Root, document)
        from Match link in pattern.Matches(File.ReadAllText(path))
        let target = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, link.Groups["target"].Value))
        select (document, target, link.Groups["name"].Value);

    private static void AssertNone(IEnumerable<string> faults)
    {
        string[] found = [.. faults];
        Assert.True(found.Length == 0, string.Join('\n', found));
    }

    [GeneratedRegex(@"\]\((?!https?:|#|mailto:)(?<target>[^)#\s]+)")]
    private static partial Regex Link();

    [GeneratedRegex(@"\[`(?<name>[\w.]+)`\]\((?<target>[^)#\s]+\.cs)\)")]
    private static partial Regex CodeLink();
}
