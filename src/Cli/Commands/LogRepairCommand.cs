using System.CommandLine;
using Ingest.Log.Inspection;
using Microsoft.Extensions.Logging;

namespace Ingest.Cli.Commands;

/// <summary>`ingest log repair`</summary>
internal static class LogRepairCommand
{
    public static Command Create(CommandConsole console)
    {
        var data = LogCommand.DataOption();
        var dry = new Option<bool>("--dry-run") { Description = "Says what would be done, and does nothing" };
        var command = new Command(
            "repair",
            "Does to a stopped server's log what its next start would: cuts torn ends off, sets damage aside in quarantine.")
        {
            data, dry,
        };
        command.SetAction((result, _) => CommandFailure.GuardAsync(console, () =>
        {
            var isDry = result.GetValue(dry);
            var report = LogRepair.Run(result.GetRequiredValue(data), isDry, new LineLogger(console.Out));
            console.Out.WriteLine(
                $"{(isDry ? "would cut off" : "cut off")} {LogInspectCommand.Number(report.CutBytes)} bytes, "
                + $"{(isDry ? "would set aside" : "set aside")} {LogInspectCommand.Number(report.Quarantined)} damaged pieces "
                + $"with {LogInspectCommand.Number(report.QuarantinedRows)} rows; {LogInspectCommand.Number(report.Segments)} "
                + $"segments with {LogInspectCommand.Number(report.Rows)} rows are good");
            return Task.FromResult(ExitCode.Success);
        }));
        return command;
    }

    // What recovery says, as the server's log would have it.
    private sealed class LineLogger(TextWriter output) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                output.WriteLine(formatter(state, exception));
            }
        }
    }
}
