using System.CommandLine;
using Ingest.Log.Inspection;

namespace Ingest.Cli.Commands;

/// <summary>`ingest log verify`</summary>
internal static class LogVerifyCommand
{
    public static Command Create(CommandConsole console)
    {
        var data = LogCommand.DataOption();
        var json = LogCommand.JsonOption();
        var command = new Command(
            "verify", "Checks every checksum of index and data; exit code 1 when something is bad. Changes nothing.")
        {
            data, json,
        };
        command.SetAction((result, _) => CommandFailure.GuardAsync(console, () =>
        {
            var log = LogInspection.Read(result.GetRequiredValue(data));
            string[] faults = [.. log.Faults];
            if (result.GetValue(json))
            {
                JsonReport.Write(console, new { log.DataDirectory, log.IsInUse, Rows = log.Tables.Sum(t => t.Rows), faults });
            }
            else
            {
                foreach (var fault in faults)
                {
                    console.Out.WriteLine($"bad: {fault}");
                }
                var segments = log.Tables.Sum(table => table.Segments.Count);
                console.Out.WriteLine(
                    $"{LogInspectCommand.Number(segments)} segments, {LogInspectCommand.Number(log.Tables.Sum(t => t.Rows))} rows, "
                    + $"{LogInspectCommand.Number(log.Tables.Sum(t => t.Bytes))} bytes: "
                    + (faults.Length == 0 ? "all good" : $"{faults.Length} bad"));
            }
            return Task.FromResult(faults.Length == 0 ? ExitCode.Success : ExitCode.SomeRejected);
        }));
        return command;
    }
}
