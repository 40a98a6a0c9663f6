using System.Diagnostics;
using System.Globalization;
using Ingest.Tests.Log.Crashes;
using Xunit.Abstractions;

namespace Ingest.Tests.Log;

/// <summary>
/// Kills and power losses at every moment of runs of the log: whatever is left of the disk, what was told as durable is
/// in the store once in the end. INGEST_CHAOS "long" draws many more runs; INGEST_SEED is the seed of the first. Threads are real, so
/// a seed gives much the same run again, not the very same.
/// </summary>
[Trait("Category", "Chaos")]
public sealed class PowerLossTests(ITestOutputHelper output)
{
    private const int Steps = 40;

    private static readonly TimeSpan s_limit = Environment.GetEnvironmentVariable("INGEST_CHAOS") == "long"
        ? TimeSpan.FromMinutes(10)
        : TimeSpan.FromSeconds(12);

    [Fact]
    public async Task Whenever_the_power_goes_every_row_that_was_acknowledged_is_there_once()
    {
        var seed = int.TryParse(
            Environment.GetEnvironmentVariable("INGEST_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var given)
            ? given
            : Environment.TickCount & 0xffff;
        var path = Directory.CreateTempSubdirectory("ingest-crash-").FullName;
        var check = new CrashCheck(path);
        var (runs, cuts) = (0, 0);
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < s_limit; runs++)
        {
            var disk = await CrashScenario.RunAsync(path, seed + runs, Steps);
            var crashes = AllCrashes(seed + runs, disk.Journal.Count + 1);
            foreach (var (cut, style, random) in crashes.TakeWhile(_ => Stopwatch.GetElapsedTime(started) < s_limit))
            {
                await CrashAsync(check, disk, new Ledger(), cut, style, random, seed + runs, depth: 0);
                cuts++;
            }
        }

        output.WriteLine(
            $"{runs} runs from seed {seed}, crashed at {cuts} moments and {check.Recoveries - cuts} times again meanwhile, "
            + $"{check.Quarantined} pieces set aside");
        Directory.Delete(path, recursive: true);
    }

    // Every moment of a run with every style, in an order that visits all of the run however short the time is.
    private static (int Cut, CutStyle Style, Random Random)[] AllCrashes(int seed, int count)
    {
        var crashes =
            from cut in Enumerable.Range(0, count)
            from style in Enum.GetValues<CutStyle>()
            select (cut, style, new Random((((seed * 10007) + cut) * 7) + (int)style));
        var all = crashes.ToArray();
        new Random(seed).Shuffle(all);
        return all;
    }

    // A crash, and while the next process recovers and goes on, maybe another.
    private async Task CrashAsync(
        CrashCheck check, SimulatedDisk disk, Ledger before, int cut, CutStyle style, Random random, int seed, int depth)
    {
        var happened = disk.Journal.Take(cut).ToList();
        var ledger = Ledger.After(before, happened, random);
        var isKill = random.Next(3) == 0;

        // After a kill what was not flushed is still in the cache, and may be lost later.
        var next = isKill
            ? new SimulatedDisk(disk.Image, happened)
            : new SimulatedDisk(PowerCut.After(disk, happened, style, random), []);
        if (isKill)
        {
            next.NoteKill();
            ledger.Outcomes.ForEach(next.Note);
        }

        try
        {
            await check.RunAsync(next, ledger);
        }
        catch
        {
            output.WriteLine($"seed {seed}: crash {depth} after event {cut} of {disk.Journal.Count}, {(isKill ? "kill" : style)}");
            output.WriteLine(string.Join('\n', happened.TakeLast(40).Select(Describe)));
            throw;
        }

        if (random.Next(2) == 0 && depth < 3)
        {
            var first = isKill ? cut : 0;
            await CrashAsync(
                check, next, isKill ? before : ledger, random.Next(first, next.Journal.Count + 1),
                (CutStyle)random.Next((int)CutStyle.Mixed + 1), random, seed, depth + 1);
        }
    }

    private static string Describe(DiskEvent one) => one is DiskEvent.Written written
        ? $"Written {{ File = {written.File}, Offset = {written.Offset}, Bytes = {written.Bytes.Length} }}"
        : one.ToString();
}
