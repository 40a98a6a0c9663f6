using System.Diagnostics;

namespace Ingest.Server.Tests.Observability;

/// <summary>Prometheus's own check of a scrape.</summary>
internal static class Promtool
{
    private static readonly string? Path =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Select(directory => System.IO.Path.Combine(directory, "promtool"))
            .FirstOrDefault(File.Exists);

    /// <summary>Fails the test when promtool cannot parse the text or has anything to say about it.</summary>
    public static async Task CheckAsync(string metrics)
    {
        Skip.If(Path is null, "promtool is not installed (Debian: prometheus).");
        var start = new ProcessStartInfo(Path!, ["check", "metrics"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(metrics);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"promtool: exit {process.ExitCode}\n{await output}{await errors}");
    }
}
