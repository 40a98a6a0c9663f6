using System.Globalization;
using Xunit.Abstractions;

namespace Ingest.EndToEnd.Tests.Overload;

/// <summary>
/// More than the server can take: nothing that was acknowledged is lost, memory stays under its limit, and who asks for
/// little is served. Load and server share the machine. Speeds are printed, not asserted.
/// </summary>
/// <remarks>
/// A phase takes 2 s; 5 minutes when INGEST_CHAOS is "long", or INGEST_CHAOS_SECONDS. What it can take is measured in a
/// minute at most.
/// </remarks>
[Trait("Category", "Chaos")]
[Collection("alone")]
public sealed class OverloadTests(ITestOutputHelper output)
{
    private const long MaxMemory = 2L << 30;
    private const int Senders = 4;
    private const int RowsPerRequest = 500;
    private const int PoliteRowsPerSecond = 1000;

    internal static double PhaseSeconds { get; } =
        double.TryParse(
            Environment.GetEnvironmentVariable("INGEST_CHAOS_SECONDS"), CultureInfo.InvariantCulture, out double seconds)
            ? seconds
            : Environment.GetEnvironmentVariable("INGEST_CHAOS") == "long" ? 300 : 2;

    [SkippableFact]
    public async Task At_four_times_the_load_goodput_stays_and_a_polite_producer_is_served()
    {
        Engine.Require();
        await using ServerProcess server = await ServerProcess.StartAsync(null, $"Admission:MaxMemoryBytes={MaxMemory}");
        await RunAsync(server, waitSeconds: 120);
    }

    [SkippableFact]
    public async Task With_a_store_that_is_slower_than_the_senders_the_log_stays_under_its_limit()
    {
        Engine.Require();

        // An INSERT a thousand rows: the store is what the senders wait for.
        const long MaxLog = 16 << 20;
        await using ServerProcess server = await ServerProcess.StartAsync(
            null, $"Admission:MaxMemoryBytes={MaxMemory}", $"Log:MaxBytes={MaxLog}", "Log:SegmentRows=1000",
            "Log:BatchRows=1000", "Log:SegmentBytes=1048576");
        using var stop = new CancellationTokenSource();
        Task<long> most = MostOfLogAsync(server, stop.Token);
        await RunAsync(server, waitSeconds: 300);
        await stop.CancelAsync();
        output.WriteLine($"log at most {await most >> 10} KiB of {MaxLog >> 10}");

        // What was decoded when the limit was met still has to be written.
        Assert.InRange(await most, MaxLog / 2, MaxLog + (8 << 20));
    }

    private async Task RunAsync(ServerProcess server, int waitSeconds)
    {
        await using var memory = new ServerMemory(server.ProcessId);

        // As fast as it goes is what it can take, measured with the same load beside it.
        double probe = Math.Min(PhaseSeconds, 60);
        await RunPhaseAsync(server, "warm-up", Senders, 0, probe);
        LoadReport most = await RunPhaseAsync(server, "capacity", Senders, 0, probe);
        double capacity = most.RowsPerSecond;
        var reports = new List<LoadReport> { most };
        var goodput = new double[5];
        foreach (int times in new[] { 1, 2, 4 })
        {
            memory.Reset();
            Task<LoadReport> polite = LoadProcess.StartAsync(new LoadOptions(
                server.GrpcAddress, $"polite-{times}", PhaseSeconds, 1, 1, PoliteRowsPerSecond, 50));
            LoadReport load = await RunPhaseAsync(server, $"load-{times}", times * Senders, times * capacity, PhaseSeconds);
            LoadReport beside = await polite;
            goodput[times] = load.RowsPerSecond + beside.RowsPerSecond;
            reports.AddRange([load, beside]);
            output.WriteLine($"  polite:   {beside}");
            output.WriteLine($"  memory at most {memory.MostBytes >> 20} MiB of {MaxMemory >> 20}");
            Assert.InRange(memory.MostBytes, 1, MaxMemory);
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"goodput at 4x is {goodput[4] / goodput[1]:P0} of that at 1x; phases of {PhaseSeconds} s"));
        foreach (LoadReport report in reports)
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
    }

    private async Task<LoadReport> RunPhaseAsync(
        ServerProcess server, string name, int producers, double rowsPerSecond, double seconds)
    {
        LoadReport report = await LoadProcess.StartAsync(new LoadOptions(
            server.GrpcAddress, name, seconds, producers, Math.Min(producers, 4), rowsPerSecond, RowsPerRequest));
        output.WriteLine($"{name,-9} {report}");
        return report;
    }

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
