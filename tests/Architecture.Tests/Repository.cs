using System.Reflection;

namespace Ingest.Architecture.Tests;

/// <summary>The checkout that these tests were built in.</summary>
internal static class Repository
{
    private static readonly string[] Made = ["bin", "obj", "node_modules"];

    /// <summary>Its root.</summary>
    public static string Root { get; } = typeof(Repository).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "RepositoryRoot").Value!;

    /// <summary>What this build and those beside it are: Debug or Release.</summary>
    public static string Configuration { get; } =
        typeof(Repository).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    /// <summary>The projects under <c>src</c>.</summary>
    public static IReadOnlyList<SourceProject> Projects { get; } =
        [.. Files("src", "*.csproj").Select(path => new SourceProject(path))];

    /// <summary>The C# files under <c>src</c> that were written by hand.</summary>
    public static IReadOnlyList<SourceFile> Sources { get; } = [.. Read("src")];

    /// <summary>The C# files under a folder that were written by hand.</summary>
    public static IEnumerable<SourceFile> Read(string folder) =>
        Files(folder, "*.cs").Select(path => new SourceFile(path, File.ReadAllText(Path.Combine(Root, path))));

    /// <summary>Paths of files below a folder, from the root and with slashes; what a build made is left out.</summary>
    public static IEnumerable<string> Files(string folder, string pattern)
    {
        string start = Path.Combine(Root, folder);
        return !Directory.Exists(start)
            ? []
            : Directory.EnumerateFiles(start, pattern, SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
                .Where(path => !path.Split('/').Any(Made.Contains))
                .Order(StringComparer.Ordinal);
    }
}
