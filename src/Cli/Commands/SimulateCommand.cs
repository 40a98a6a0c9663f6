using System.CommandLine;
using System.Globalization;
using Ingest.Cli.Simulation;
using Ingest.Cli.Streaming;

namespace Ingest.Cli.Commands;

/// <summary>`ingest simulate`</summary>
internal static class SimulateCommand
{
    private const string RealTime = "realtime";
    private const string Maximum = "max";

    public static Command Create(CommandConsole console)
    {
        var drivers = new Option<int>("--drivers")
        {
            Description = "Drivers", HelpName = "count", DefaultValueFactory = _ => 500,
        };
        var minutes = new Option<double>("--minutes")
        {
            Description = "Simulated time", HelpName = "minutes", DefaultValueFactory = _ => 10,
        };
        var interval = new Option<double>("--interval")
        {
            Description = "Simulated seconds between two points of a driver", HelpName = "seconds",
            DefaultValueFactory = _ => 5,
        };
        var rate = new Option<string>("--rate")
        {
            Description = "Rows a second; realtime: a simulated second takes a second; max: as fast as it goes",
            HelpName = "rows|realtime|max", DefaultValueFactory = _ => Maximum,
        };
        var seed = new Option<ulong>("--seed")
        {
            Description = "The same seed, end and numbers give the same rows", HelpName = "number",
            DefaultValueFactory = _ => 1,
        };
        var end = new Option<string?>("--end")
        {
            Description = "When simulated time ends, for example 2026-01-31T19:30:00Z [default: now]", HelpName = "time",
        };
        var command = new Command("simulate", "Streams a small generated city: drivers, orders, ads and their metrics.")
        {
            drivers, minutes, interval, rate, seed, end,
        };
        var server = new ServerOptions();
        server.AddTo(command);
        command.SetAction((result, cancellationToken) => CommandFailure.GuardAsync(console, async () =>
        {
            var (rowsPerSecond, isRealTime) = ParseRate(result.GetRequiredValue(rate));
            var options = CreateOptions(
                result.GetValue(drivers), result.GetValue(minutes), result.GetValue(interval), result.GetValue(seed),
                result.GetValue(end), isRealTime);
            using var client = server.CreateClient(result);
            var simulation = new CitySimulation(options);
            var job = new SimulationJob(simulation, client, rowsPerSecond, isRealTime, TimeProvider.System);
            return await RunAsync(console, simulation, job, cancellationToken);
        }));
        return command;
    }

    private static async Task<int> RunAsync(
        CommandConsole console, CitySimulation simulation, SimulationJob job, CancellationToken cancellationToken)
    {
        var start = TimeProvider.System.GetTimestamp();
        var display = new ProgressDisplay(
            console,
            () => $"{job.Rows:N0} rows, {Rates.RowsPerSecond(job.Rows, TimeProvider.System.GetElapsedTime(start))}",
            () => Math.Clamp(simulation.Done, 0, 1));
        var run = job.RunAsync(cancellationToken);
        await display.ShowAsync(run);
        await run;
        var elapsed = TimeProvider.System.GetElapsedTime(start);
        var rejected = 0L;
        foreach (var (table, rows, result) in job.Results)
        {
            console.Out.WriteLine(
                $"{table,-14} {rows,12:N0} rows, accepted {result.AcceptedCount:N0}, rejected {result.RejectedCount:N0}");
            rejected += result.RejectedCount;
            foreach (var error in result.Errors)
            {
                console.Error.WriteLine($"rejected: {table} row {error.Row}: {StreamReport.Describe(error)}");
            }
        }
        console.Out.WriteLine(
            $"{job.Rows:N0} rows in {elapsed.TotalSeconds:N2} s, {Rates.RowsPerSecond(job.Rows, elapsed)}; simulated time "
            + $"ends {simulation.End:yyyy-MM-dd HH:mm:ss}Z");
        return rejected == 0 ? ExitCode.Success : ExitCode.SomeRejected;
    }

    private static (double? RowsPerSecond, bool IsRealTime) ParseRate(string text)
    {
        if (text is RealTime or Maximum)
        {
            return (null, text == RealTime);
        }
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var rows)
            && rows is > 0 and < double.PositiveInfinity
            ? (rows, false)
            : throw new UsageException($"--rate {text} is neither a number above 0 nor {RealTime} nor {Maximum}.");
    }

    private static SimulationOptions CreateOptions(
        int drivers, double minutes, double interval, ulong seed, string? end, bool isRealTime)
    {
        if (drivers is < 1 or > 1_000_000)
        {
            throw new UsageException("--drivers has to be between 1 and 1,000,000.");
        }
        if (minutes is not (> 0 and <= 100_000))
        {
            throw new UsageException("--minutes has to be more than 0 and at most 100,000.");
        }
        if (interval is not (>= 0.1 and <= 600))
        {
            throw new UsageException("--interval has to be between 0.1 and 600 seconds.");
        }
        var duration = TimeSpan.FromMinutes(minutes);
        var now = DateTime.UtcNow;
        var start = end is null ? (isRealTime ? now : now - duration) : ParseEnd(end) - duration;
        return new SimulationOptions
        {
            Drivers = drivers,
            Duration = duration,
            Interval = TimeSpan.FromSeconds(interval),
            Seed = seed,
            Start = start,
        };
    }

    private static DateTime ParseEnd(string text) =>
        DateTime.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var end)
            ? end
            : throw new UsageException($"--end {text} is no time.");
}
