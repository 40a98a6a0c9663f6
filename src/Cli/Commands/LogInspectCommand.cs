using System.CommandLine;
using System.Globalization;
using Ingest.Log.Inspection;

namespace Ingest.Cli.Commands;

/// <summary>`ingest log inspect`</summary>
internal static class LogInspectCommand
{
    private const int MostProducers = 50;

    public static Command Create(CommandConsole console)
    {
        var data = LogCommand.DataOption();
        var json = LogCommand.JsonOption();
        var producers = new Option<bool>("--producers") { Description = "Lists producers and their offsets" };
        var command = new Command("inspect", "Shows tables, segments, producers and quarantine; also beside a running server.")
        {
            data, producers, json,
        };
        command.SetAction((result, _) => CommandFailure.GuardAsync(console, () =>
        {
            var log = LogInspection.Read(result.GetRequiredValue(data));
            if (result.GetValue(json))
            {
                JsonReport.Write(console, log);
            }
            else
            {
                Write(console, log, result.GetValue(producers));
            }
            return Task.FromResult(ExitCode.Success);
        }));
        return command;
    }

    private static void Write(CommandConsole console, LogInspection log, bool withProducers)
    {
        console.Out.WriteLine(
            $"{log.DataDirectory}, {log.DirectoryId?.ToString() ?? "without identity"}, "
            + (log.IsInUse ? "in use by a server" : "no server has it"));
        var tables = new ReportTable("table", "segments#", "blocks#", "rows#", "bytes#", "producers#", "oldest", "newest");
        foreach (var table in log.Tables)
        {
            tables.Add(
                table.Name, Number(table.Segments.Count), Number(table.Segments.Sum(segment => segment.Blocks)),
                Number(table.Rows), Number(table.Bytes), Number(table.Producers.Count),
                table.Segments.Count == 0 ? "" : Time(table.Segments[0].OpenedAt),
                table.Segments.Count == 0 ? "" : Time(table.Segments[^1].OpenedAt));
        }
        tables.Write(console);

        var segments = new ReportTable("segment", "table", "opened", "blocks#", "rows#", "bytes#", "state");
        foreach (var table in log.Tables)
        {
            foreach (var segment in table.Segments)
            {
                segments.Add(
                    segment.Id.ToString(CultureInfo.InvariantCulture), table.Name, Time(segment.OpenedAt),
                    Number(segment.Blocks), Number(segment.Rows), Number(segment.Bytes), State(segment));
            }
        }
        WriteIfAny(console, segments);
        if (withProducers)
        {
            WriteProducers(console, log);
        }

        if (log.Quarantine.Count > 0)
        {
            console.Out.WriteLine();
            console.Out.WriteLine(
                $"quarantine: {Number(log.Quarantine.Count)} pieces, {Number(log.Quarantine.Sum(piece => piece.Rows))} rows; "
                + "see ingest log quarantine list");
        }
    }

    private static void WriteProducers(CommandConsole console, LogInspection log)
    {
        var producers = new ReportTable("producer", "table", "epoch#", "durable offset#", "last seen");
        var left = 0;
        foreach (var table in log.Tables)
        {
            foreach (var producer in table.Producers.Take(MostProducers))
            {
                producers.Add(
                    producer.Id, table.Name, Number(producer.Epoch), Number(producer.DurableOffset), Time(producer.LastSeen));
            }
            left += Math.Max(0, table.Producers.Count - MostProducers);
        }
        WriteIfAny(console, producers);
        if (left > 0)
        {
            console.Out.WriteLine($"and {Number(left)} more; --json has all");
        }
    }

    private static void WriteIfAny(CommandConsole console, ReportTable table)
    {
        if (table.Count > 0)
        {
            console.Out.WriteLine();
            table.Write(console);
        }
    }

    private static string State(InspectedSegment segment) =>
        segment.Faults.Count > 0 ? "damaged, see ingest log verify"
        : segment.IsRefused ? "refused by the store, bad rows are looked for"
        : segment.TailBytes > 0 ? $"{Number(segment.TailBytes)} bytes behind the last block"
        : "";

    /// <summary>A number for people.</summary>
    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A time for people.</summary>
    public static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ssZ", CultureInfo.InvariantCulture);
}
