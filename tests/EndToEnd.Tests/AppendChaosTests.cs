using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace Ingest.EndToEnd.Tests;

/// <summary>
/// kill -9 at random moments under producers that resume: what was acknowledged is in the store once. 200 kills when
/// INGEST_CHAOS is "long", as many as it says when it is a number, a few otherwise.
/// </summary>
[Trait("Category", "Chaos")]
public sealed class AppendChaosTests(ITestOutputHelper output)
{
    private const int Producers = 8;

    // Most are full before they are old, so that the next ones are written over their files.
    private const string FullSegments = "Log:SegmentRows=500";

    private static readonly int s_kills = Environment.GetEnvironmentVariable("INGEST_CHAOS") switch
    {
        "long" => 200,
        { } text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int kills) => kills,
        _ => 4,
    };

    [SkippableFact]
    public async Task After_kills_every_acknowledged_row_of_8_producers_is_there_once()
    {
        Engine.Require();
        var random = new Random();
        int killsAtStart = 0;
        var clock = Stopwatch.StartNew();
        await using var producers = new ResumingProducers(Producers);
        ServerProcess server = await ServerProcess.StartAsync(dataDirectory: null, FullSegments);
        try
        {
            producers.Address = server.GrpcAddress;
            for (int kill = 1; kill <= s_kills; kill++)
            {
                // Once rows of each were acknowledged, at any moment: in mid-append, at an fsync, a seal, an insert.
                await producers.ProgressAsync();
                await PassAsync(random.NextDouble() * 1500);
                producers.Address = null;
                await server.KillAsync();

                // And while the log is recovered, or soon after, once and again.
                for (; kill < s_kills && random.Next(2) == 0; kill++, killsAtStart++)
                {
                    double after = random.NextDouble() * (random.Next(2) == 0 ? 10 : 300);
                    await ServerProcess.KillStartingAsync(server.DataDirectory, TimeSpan.FromMilliseconds(after), FullSegments);
                }

                server = await ServerProcess.StartAsync(server.DataDirectory, FullSegments);
                producers.Address = server.GrpcAddress;
            }

            await producers.ProgressAsync();
            await producers.StopAsync();
            await producers.ExpectOnceAsync(server);
            Assert.Empty(producers.Endings);
            output.WriteLine(
                $"{s_kills} kills in {clock.Elapsed.TotalSeconds:0} s, {killsAtStart} of them at start; "
                + $"{producers.Acknowledged} rows acknowledged");
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    private static async Task PassAsync(double milliseconds)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed.TotalMilliseconds < milliseconds;)
        {
            await Task.Delay(1);
        }
    }
}
