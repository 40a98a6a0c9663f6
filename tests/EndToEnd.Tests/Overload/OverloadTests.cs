using System.Globalization;
using Xunit.Abstractions;

namespace Ingest.EndToEnd.Tests.Overload;

/// <summary>
/// More than the server can take: nothing that was acknowledged is lost, memory stays under its limit, and who asks for
/// little is served. Load and server share the machine. Speeds are printed, not asserted.
/// </summary>
/// <remarks>
/// A phase takes 2 s; 5 minutes when INGEST_CHAOS is "long", or INGEST_CHAOS_SECONDS.
/// </remarks>
[Trait("Category", "Chaos")]
[Collection("alone")]
public sealed class OverloadTests(ITestOutputHelper output)
{
    private const long MaxMemory = 2L << 30;
    private const int Senders = 4;
    private const int RowsPerRequest = 500;
    private const int PoliteRowsPerSecond = 1000;
    private const double MostProbeSeconds = 60;

    // What is durable may wait for the store: as much as the log may have, of a store that others' load holds up.
    private static readonly int s_catchUpSeconds = 120 + (int)(2 * PhaseSeconds);

    internal static double PhaseSeconds { get; } =
        double.TryParse(
            Environment.GetEnvironmentVariable("INGEST_CHAOS_SECONDS"), CultureInfo.InvariantCulture, out double seconds)
            ? seconds
            : Environment.GetEnvironmentVariable("INGEST_CHAOS") == "long" ? 300 : 2;

    [SkippableFact]
    public async Task At_four_times_the_load_goodput_stays_and_a_polite_producer_is_served()
    {
        Engine.Require();
        await RunAsync(s_catchUpSeconds, _ => Task.CompletedTask);
    }

    [SkippableFact]
    public async Task With_a_store_that_is_slower_than_the_senders_the_log_stays_under_its_limit()
    {
        Engine.Require();

        // An INSERT a thousand rows: the store is what the senders wait for.
        const long MaxLog = 16 << 20;
        await RunAsync(
            180 + s_catchUpSeconds,
            async run =>
            {
                using var stop = new CancellationTokenSource();
                Task<long> measured = MostOfLogAsync(run.Server, stop.Token);
                await run.Phase;
                await stop.CancelAsync();
                long most = await measured;
                output.WriteLine($"  log at most {most >> 10} KiB of {MaxLog >> 10}");

                // What was decoded when the limit was met still has to be written.
                Assert.InRange(most, MaxLog / 2, MaxLog + (8 << 20));
            },
            $"Log:MaxBytes={MaxLog}", "Log:SegmentRows=1000", "Log:BatchRows=1000", "Log:SegmentBytes=1048576");
    }

    private async Task RunAsync(
        int waitSeconds, Func<(ServerProcess Server, Task Phase), Task> watch, params string[] settings)
    {
        // As fast as it goes is what it can take.
        double capacity = await RunPhaseAsync(0, 0, waitSeconds, watch, settings);
        double once = await RunPhaseAsync(1, capacity, waitSeconds, watch, settings);
        await RunPhaseAsync(2, capacity, waitSeconds, watch, settings);
        double four = await RunPhaseAsync(4, capacity, waitSeconds, watch, settings);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"goodput at 4x is {four / once:P0} of that at 1x; phases of {PhaseSeconds} s"));
    }

    /// <summary>
    /// So many times the capacity, and a polite producer beside it, on a server with a data directory of its own: what is
    /// in the tables already has its merges, which would count against the later phases. Returns the goodput.
    /// </summary>
    private async Task<double> RunPhaseAsync(
        int times, double capacity, int waitSeconds, Func<(ServerProcess Server, Task Phase), Task> watch, string[] settings)
    {
        await using ServerProcess server = await ServerProcess.StartAsync(
            null, [$"Admission:MaxMemoryBytes={MaxMemory}", .. settings]);
        await using var memory = new ServerMemory(server.ProcessId);
        int senders = Math.Max(1, times) * Senders;
        double seconds = times == 0 ? Math.Min(PhaseSeconds, MostProbeSeconds) : PhaseSeconds;
        await RunLoadAsync(server, "warm-up", Senders, 0, Math.Min(PhaseSeconds, 5));
        Task<LoadReport> polite = LoadProcess.StartAsync(new LoadOptions(
            server.GrpcAddress, "polite", seconds, 1, 1, PoliteRowsPerSecond, 50));
        Task<LoadReport> loading = RunLoadAsync(server, $"load-{times}", senders, times * capacity, seconds);
        Task<List<long>> series = SeriesAsync(memory, seconds / 10, loading);
        await watch((server, Task.WhenAll(polite, loading)));
        LoadReport load = await loading;
        LoadReport beside = await polite;
        output.WriteLine($"{(times == 0 ? "capacity" : $"{times}x"),-9} {load}");
        output.WriteLine($"  polite: {beside}");
        output.WriteLine(
            $"  memory, MiB of {MaxMemory >> 20}, at most in each tenth of the time: "
            + string.Join(' ', (await series).Select(bytes => bytes >> 20)));
        Assert.InRange((await series).Max(), 1, MaxMemory);
        foreach (LoadReport report in new[] { load, beside })
        {
            Assert.All(report.Refusals.Keys, reason => Assert.True(reason is "Memory" or "Disk", reason));
            Assert.Empty(report.Ended);
            Assert.True(report.Durable.Values.Sum() > 0, "nothing was acknowledged: the test shows nothing");
            foreach ((string driver, long durable) in report.Durable)
            {
                // Sessions were half-closed and answered, so all that was taken is acknowledged.
                await server.ExpectAsync(
                    $"{durable}", $"SELECT count() FROM gps_points WHERE driver_id = '{driver}'", waitSeconds);
            }
        }

        return load.RowsPerSecond + beside.RowsPerSecond;
    }

    private static async Task<List<long>> SeriesAsync(ServerMemory memory, double seconds, Task phase)
    {
        var series = new List<long>();
        while (!phase.IsCompleted)
        {
            memory.Reset();
            await Task.WhenAny(phase, Task.Delay(TimeSpan.FromSeconds(seconds)));
            series.Add(memory.MostBytes);
        }

        return series;
    }

    private static Task<LoadReport> RunLoadAsync(
        ServerProcess server, string name, int producers, double rowsPerSecond, double seconds) =>
        LoadProcess.StartAsync(new LoadOptions(
            server.GrpcAddress, name, seconds, producers, Math.Min(producers, 4), rowsPerSecond, RowsPerRequest));

    private static async Task<long> MostOfLogAsync(ServerProcess server, CancellationToken stop)
    {
        long most = 0;
        while (!stop.IsCancellationRequested)
        {
            string log = Path.Combine(server.DataDirectory, "log");
            long bytes = 0;
            foreach (string file in Directory.EnumerateFiles(log, "*", SearchOption.AllDirectories))
            {
                try
                {
                    bytes += new FileInfo(file).Length;
                }
                catch (FileNotFoundException)
                {
                    // Stored and deleted.
                }
            }

            most = Math.Max(most, bytes);
            await Task.Delay(20, CancellationToken.None);
        }

        return most;
    }
}
