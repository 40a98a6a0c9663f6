using System.Runtime.InteropServices;

namespace Ingest.Stores.Embedded;

/// <summary>Where libchdb is looked for.</summary>
/// <remarks>
/// In this order: the configured path (<c>Ingest:Store:Library</c>), the environment variable <c>INGEST_LIBCHDB</c>, the
/// application's directory, and where <c>script/install</c> puts it, <c>script/engine</c>, in the application's directory,
/// in the current one, or in a directory above either.
/// </remarks>
internal static class LibChdbLocation
{
    private const string Variable = "INGEST_LIBCHDB";

    private static readonly string[] s_fileNames = ["libchdb.so", "libchdb.dylib"];

    /// <summary>Path of the library.</summary>
    /// <exception cref="StoreException">It is nowhere, or there is none for this platform.</exception>
    public static string Find(string configuredPath) => Find(
        configuredPath, Environment.GetEnvironmentVariable(Variable) ?? "", Package(),
        [AppContext.BaseDirectory, Directory.GetCurrentDirectory()]);

    internal static string Find(
        string configuredPath, string environmentPath, string? package, IReadOnlyList<string> directories)
    {
        foreach ((string path, string origin) in
            new[] { (configuredPath, "Ingest:Store:Library"), (environmentPath, Variable) })
        {
            if (path.Length > 0)
            {
                return File.Exists(path) ? Path.GetFullPath(path) : throw Unavailable(
                    $"{origin} names {path}, where there is no file: let it name libchdb.so.");
            }
        }

        if (package is null)
        {
            throw Unavailable(
                $"There is no embedded ClickHouse for {RuntimeInformation.RuntimeIdentifier}; use a ClickHouse server "
                + "instead (Ingest:Store:Kind=clickhouse).");
        }

        string inModules = Path.Combine("node_modules", "@chdb", package);
        string[] below =
        [
            Path.Combine("script", "engine", inModules), Path.Combine("script", "engine", package, inModules),
        ];
        return directories
            .SelectMany(d => WithParents(d).SelectMany(p => below.Select(b => Path.Combine(p, b))).Prepend(d))
            .SelectMany(d => s_fileNames.Select(name => Path.Combine(d, name)))
            .FirstOrDefault(File.Exists)
            ?? throw Unavailable(
                $"The embedded ClickHouse (libchdb) is missing: run script/server once, which fetches it, or let "
                + $"{Variable} name the file from the npm package @chdb/{package}.");
    }

    internal static string? Package()
    {
        Architecture architecture = RuntimeInformation.ProcessArchitecture;
        if (OperatingSystem.IsMacOS())
        {
            return architecture switch
            {
                Architecture.Arm64 => "lib-darwin-arm64",
                Architecture.X64 => "lib-darwin-x64",
                _ => null,
            };
        }

        // The library is linked against glibc.
        if (!OperatingSystem.IsLinux()
            || RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal))
        {
            return null;
        }

        return architecture switch
        {
            Architecture.X64 => "lib-linux-x64-gnu",
            Architecture.Arm64 => "lib-linux-arm64-gnu",
            _ => null,
        };
    }

    private static IEnumerable<string> WithParents(string directory)
    {
        for (DirectoryInfo? d = new(directory); d is not null; d = d.Parent)
        {
            yield return d.FullName;
        }
    }

    private static StoreException Unavailable(string message) => new(message, StoreFault.Unavailable);
}
