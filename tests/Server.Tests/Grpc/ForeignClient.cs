using System.Diagnostics;
using System.Reflection;
using System.Text.Json;

namespace Ingest.Server.Tests.Grpc;

/// <summary>Runs a client of another language as a child process and reads what became of its cases.</summary>
internal static class ForeignClient
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <summary>The project's root.</summary>
    public static string Root { get; } = typeof(ForeignClient).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "RepositoryRoot").Value!;

    /// <summary>Where the clients lie.</summary>
    public static string Directory { get; } = Path.Combine(Root, "tests", "Foreign");

    /// <summary>Where the protos lie: those of the project and those of the tests.</summary>
    public static string[] ProtoDirectories { get; } =
        [Path.Combine(Root, "protos"), Path.Combine(Root, "tests", "Server.Tests", "Protos")];

    /// <summary>Why clients of Node cannot run; null when they can.</summary>
    public static string? WhyNoNode { get; } =
        !System.IO.Directory.Exists(Path.Combine(Directory, "node_modules"))
            ? "tests/Foreign/node_modules is missing: run npm ci in tests/Foreign"
            : WhyNot("node", "--version");

    /// <summary>The Python that has grpcio: the system's, for it is a Debian package there.</summary>
    public static string Python { get; } = File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3";

    /// <summary>Why clients of Python cannot run; null when they can.</summary>
    public static string? WhyNoPython { get; } = WhyNot(Python, "-c", "import grpc, google.protobuf");

    /// <summary>Runs a client and returns its output.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string command, params string[] arguments)
    {
        using var process = Start(command, arguments);
        using var limit = new CancellationTokenSource(Limit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>Runs a client that reports cases; the error of each, null for those that passed.</summary>
    public static async Task<Dictionary<string, string?>> RunCasesAsync(string command, params string[] arguments)
    {
        var (exitCode, output, errors) = await RunAsync(command, arguments);
        Assert.True(exitCode == 0, $"{command} {arguments[0]} exited {exitCode}: {errors}");
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToDictionary(result => result.GetProperty("case").GetString()!,
                result => result.GetProperty("error").GetString());
    }

    private static string? WhyNot(string command, params string[] arguments)
    {
        try
        {
            using var process = Start(command, arguments);
            process.WaitForExit();
            return process.ExitCode == 0 ? null : $"{command}: {process.StandardError.ReadToEnd().Trim()}";
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            return $"{command}: {error.Message}";
        }
    }

    private static Process Start(string command, string[] arguments) => Process.Start(
        new ProcessStartInfo(command, arguments)
        {
            WorkingDirectory = Directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
}
