using System.Diagnostics;

namespace Ingest.EndToEnd.Tests;

/// <summary>The command line tool in a process of its own.</summary>
internal static class Cli
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(3);

    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        ServerProcess server, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What ASP.NET brings is not copied beside the tests, so the tool runs with the server's framework here.
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add("--runtimeconfig");
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Ingest.Server.runtimeconfig.json"));
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Ingest.Cli.dll"));
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["INGEST_SERVER"] = server.GrpcAddress;
        start.Environment["INGEST_HTTP"] = server.HttpAddress;
        using Process process = Process.Start(start)!;
        using var timeout = new CancellationTokenSource(s_timeout);
        Task<string> errors = process.StandardError.ReadToEndAsync(timeout.Token);
        string output = await process.StandardOutput.ReadToEndAsync(timeout.Token);
        await process.WaitForExitAsync(timeout.Token);
        return (process.ExitCode, output, await errors);
    }
}
