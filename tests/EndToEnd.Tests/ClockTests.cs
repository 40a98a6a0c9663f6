using System.Runtime.InteropServices;
using Xunit.Abstractions;

namespace Ingest.EndToEnd.Tests;

/// <summary>A server whose clock is set while producers send: by libfaketime, which Debian has as `faketime`.</summary>
[Trait("Category", "Chaos")]
public sealed class ClockTests(ITestOutputHelper output)
{
    private static readonly string s_library = Path.Combine(
        "/usr/lib", $"{(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64" : "x86_64")}-linux-gnu",
        "faketime", "libfaketime.so.1");

    private static readonly string[] s_offsets = Environment.GetEnvironmentVariable("INGEST_CHAOS") == "long"
        ? ["+0", "-1h", "+1d", "+0", "-1h", "+30d", "+0"]
        : ["-1h", "+1d", "+0"];

    [SkippableFact]
    public async Task A_clock_that_is_set_loses_nothing_and_repeats_nothing()
    {
        Engine.Require();
        Skip.IfNot(File.Exists(s_library), "libfaketime, which sets a process's clock, is not installed");
        string clock = Path.GetTempFileName();
        await SetAsync(clock, "+0");
        (string, string)[] variables =
        [
            ("LD_PRELOAD", s_library), ("FAKETIME_TIMESTAMP_FILE", clock), ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("DONT_FAKE_MONOTONIC", "1"),
        ];
        await using var producers = new ResumingProducers(count: 4);
        ServerProcess server = await ServerProcess.StartAsync(null, variables);
        try
        {
            producers.Address = server.GrpcAddress;
            foreach (string offset in s_offsets)
            {
                await producers.ProgressAsync();
                await SetAsync(clock, offset);
                await producers.ProgressAsync();
                if (offset[0] == '+' && offset != "+0")
                {
                    // The engine has the real clock: segments that are opened now are ahead of it.
                    string ahead = $"now() + INTERVAL {offset[1..^1]} DAY - INTERVAL 1 HOUR";
                    await server.ExpectAsync("1", $"SELECT max(received_at) > {ahead} FROM gps_points");
                }

                if (offset == "-1h")
                {
                    // Also over a restart: ids of segments and offsets of producers go on.
                    producers.Address = null;
                    await server.KillAsync();
                    server = await ServerProcess.StartAsync(server.DataDirectory, variables);
                    producers.Address = server.GrpcAddress;
                }
            }

            await producers.ProgressAsync();
            await producers.StopAsync();
            await producers.ExpectOnceAsync(server);
            Assert.Empty(producers.Endings);
            output.WriteLine($"{producers.Acknowledged} rows acknowledged");
        }
        finally
        {
            await server.DisposeAsync();
            File.Delete(clock);
        }
    }

    // At once: a reader must not find half of it.
    private static async Task SetAsync(string path, string offset)
    {
        await File.WriteAllTextAsync(path + ".new", offset + "\n");
        File.Move(path + ".new", path, overwrite: true);
    }
}
