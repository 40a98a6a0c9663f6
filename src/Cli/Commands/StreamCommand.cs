using System.CommandLine;
using Google.Protobuf;
using Ingest.Cli.Binding;
using Ingest.Cli.Streaming;
using Ingest.Client;

namespace Ingest.Cli.Commands;

/// <summary>`ingest stream gps|events|metrics|orders FILE...`</summary>
internal static class StreamCommand
{
    public static Command Create(CommandConsole console)
    {
        return new Command("stream", "Streams the rows of files to the server.")
        {
            CreateKind(console, "gps", "Streams GPS points.",
                static client => client.OpenGpsPoints, static options => new GpsPointBinder(options)),
            CreateKind(console, "events", "Streams events; columns that are no fields become properties.",
                static client => client.OpenEvents, static options => new EventBinder(options)),
            CreateKind(console, "metrics", "Streams metric samples; columns that are no fields become metrics or labels.",
                static client => client.OpenMetrics, static options => new MetricSampleBinder(options)),
            CreateKind(console, "orders", "Streams orders.",
                static client => client.OpenOrders, static options => new OrderBinder(options)),
        };
    }

    private static Command CreateKind<TRow>(
        CommandConsole console, string name, string description,
        Func<IngestClient, Func<StreamOptions, CancellationToken, IngestStream<TRow>>> open,
        Func<BindingOptions, RowBinder<TRow>> createBinder)
        where TRow : class, IMessage<TRow>
    {
        var command = new Command(name, description);
        var options = new StreamCommandOptions();
        options.AddTo(command);
        var server = new ServerOptions();
        server.AddTo(command);
        command.SetAction((result, cancellationToken) => CommandFailure.GuardAsync(console, async () =>
        {
            var settings = options.ToSettings(result);
            // A mapping or constant of a field that there is not is told before anything is sent.
            _ = createBinder(settings.Binding);
            using var client = server.CreateClient(result);
            var job = new StreamJob<TRow>(settings, open(client), createBinder);
            return await RunAsync(console, name, settings, job, cancellationToken);
        }));
        return command;
    }

    private static async Task<int> RunAsync<TRow>(
        CommandConsole console, string name, StreamSettings settings, StreamJob<TRow> job,
        CancellationToken cancellationToken)
        where TRow : class, IMessage<TRow>
    {
        var report = job.Report;
        var totalBytes = settings.Files.Sum(file => file.LengthBytes);
        var start = TimeProvider.System.GetTimestamp();
        var display = new ProgressDisplay(
            console,
            () => $"{report.Rows:N0} rows, {Rates.RowsPerSecond(report.Rows, Elapsed())}, "
                + Rates.BytesPerSecond(report.BytesRead, Elapsed()),
            () => totalBytes == 0 ? 0 : Math.Min(1, (double)report.BytesRead / totalBytes));
        var run = job.RunAsync(cancellationToken);
        await display.ShowAsync(run);
        try
        {
            await run;
        }
        finally
        {
            report.WriteRemarks(console.Error);
        }
        var elapsed = Elapsed();
        console.Out.WriteLine(
            $"{name}: {report.Rows:N0} rows of {Files(report.Files)} in {elapsed.TotalSeconds:N2} s, "
            + $"{Rates.RowsPerSecond(report.Rows, elapsed)}, {Rates.BytesPerSecond(report.BytesRead, elapsed)}");
        console.Out.WriteLine(
            $"accepted {report.Accepted:N0}, rejected {report.Rejected:N0}, unreadable lines {report.FaultCount:N0}");
        return report.Rejected + report.FaultCount == 0 ? ExitCode.Success : ExitCode.SomeRejected;

        TimeSpan Elapsed() => TimeProvider.System.GetElapsedTime(start);

        static string Files(long count) => count == 1 ? "1 file" : $"{count:N0} files";
    }
}
