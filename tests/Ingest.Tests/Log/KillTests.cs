using System.Diagnostics;
using System.Globalization;
using Ingest.Log;

namespace Ingest.Tests.Log;

public sealed class KillTests
{
    private const int Kills = 8;
    private const long NumbersARun = 10_000_000;

    [Fact]
    public async Task After_kills_at_random_moments_every_acknowledged_row_is_there_once()
    {
        using var directory = new LogDirectory();
        var random = new Random();
        var acknowledged = new HashSet<long>();
        var stored = new List<long>();
        for (var run = 0; run < Kills; run++)
        {
            await RunAndKillAsync(directory.DataPath, run * NumbersARun, random.Next(300), acknowledged);

            // Every other time the log is emptied, as the store would; the other times it is recovered again.
            if (run % 2 == 1)
            {
                var log = await directory.OpenAsync();
                while (log.Sealed.TryRead(out var segment))
                {
                    stored.AddRange(LogDirectory.ReadIds(segment.Path));
                    log.Release(segment);
                }

                Assert.Equal(0, log.Recovery.Quarantined);
                await log.DisposeAsync();
            }
        }

        Assert.True(acknowledged.Count > Kills, "nothing was acknowledged: the test shows nothing");
        Assert.Equal(stored.Count, stored.Distinct().Count());
        Assert.Empty(acknowledged.Except(stored));
        Assert.Equal(["producers"], Directory.GetFiles(directory.TablePath).Select(Path.GetFileName));
    }

    private static async Task RunAndKillAsync(string path, long first, int lines, HashSet<long> acknowledged)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        foreach (var argument in new[]
            { typeof(KillTests).Assembly.Location, "log-writer", path, first.ToString(CultureInfo.InvariantCulture) })
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        Assert.Equal("ready", await process.StandardOutput.ReadLineAsync());
        var read = 0;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (read++ == lines)
            {
                process.Kill();
            }

            // The kill may cut the last line.
            var parts = line.Split(' ');
            if (parts is [var from, var count, "."])
            {
                var number = long.Parse(from, CultureInfo.InvariantCulture);
                var rows = int.Parse(count, CultureInfo.InvariantCulture);
                acknowledged.UnionWith(Enumerable.Range(0, rows).Select(i => number + i));
            }
        }

        await process.WaitForExitAsync();
    }
}
