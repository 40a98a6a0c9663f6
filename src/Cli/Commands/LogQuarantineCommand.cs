using System.CommandLine;
using System.Globalization;
using Ingest.Log.Inspection;

namespace Ingest.Cli.Commands;

/// <summary>`ingest log quarantine`</summary>
internal static class LogQuarantineCommand
{
    private const int MostReasonCharacters = 80;

    public static Command Create(CommandConsole console) =>
        new("quarantine", "Shows what was set aside, and gives it back.")
        {
            CreateList(console), CreateShow(console), CreateRestore(console),
        };

    private static Command CreateList(CommandConsole console)
    {
        var data = LogCommand.DataOption();
        var json = LogCommand.JsonOption();
        var command = new Command("list", "Lists the pieces.") { data, json };
        command.SetAction((result, _) => CommandFailure.GuardAsync(console, () =>
        {
            var pieces = QuarantineDirectory.Of(result.GetRequiredValue(data)).List();
            if (result.GetValue(json))
            {
                JsonReport.Write(console, pieces);
                return Task.FromResult(ExitCode.Success);
            }

            var table = new ReportTable("name", "kind", "set aside", "rows#", "bytes#", "why");
            foreach (var piece in pieces)
            {
                table.Add(
                    piece.Name, KindOf(piece.Kind), LogInspectCommand.Time(piece.At), LogInspectCommand.Number(piece.Rows),
                    LogInspectCommand.Number(piece.Bytes), Why(piece));
            }

            if (pieces.Count == 0)
            {
                console.Out.WriteLine("nothing is in quarantine");
            }
            else
            {
                table.Write(console);
            }
            return Task.FromResult(ExitCode.Success);
        }));
        return command;
    }

    private static Command CreateShow(CommandConsole console)
    {
        var name = new Argument<string>("NAME") { Description = "The piece, as list names it" };
        var data = LogCommand.DataOption();
        var json = LogCommand.JsonOption();
        var rows = new Option<int>("--rows")
        {
            Description = "Rows that are shown", HelpName = "count", DefaultValueFactory = _ => 10,
        };
        var command = new Command("show", "Shows a piece: why it is there, whose rows it has, and some of them.")
        {
            name, data, rows, json,
        };
        command.SetAction((result, _) => CommandFailure.GuardAsync(console, () =>
        {
            var quarantine = QuarantineDirectory.Of(result.GetRequiredValue(data));
            var piece = quarantine.Find(result.GetRequiredValue(name));
            var shown = quarantine.Rows(piece.Name, result.GetValue(rows)).ToList();
            var producers = quarantine.Producers(piece.Name);
            if (result.GetValue(json))
            {
                JsonReport.Write(console, new
                {
                    piece,
                    producers = producers.Select(p => new { p.ProducerId, p.FirstOffset, p.Rows }),
                    rows = shown,
                });
            }
            else
            {
                Write(console, piece, producers, shown);
            }
            return Task.FromResult(ExitCode.Success);
        }));
        return command;
    }

    private static Command CreateRestore(CommandConsole console)
    {
        var name = new Argument<string>("NAME") { Description = "The piece, as list names it" };
        var data = LogCommand.DataOption();
        var unverified = new Option<bool>("--unverified")
        {
            Description = "Gives back also what no checksum vouches for",
        };
        var command = new Command(
            "restore", "Gives a piece back to the log of a stopped server, whose next start brings its rows into the store.")
        {
            name, data, unverified,
        };
        command.SetAction((result, _) => CommandFailure.GuardAsync(console, () =>
        {
            var (segment, rows) = QuarantineDirectory.Of(result.GetRequiredValue(data))
                .Restore(result.GetRequiredValue(name), result.GetValue(unverified));
            console.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{rows:N0} rows are in segment {segment}; the server's next start brings them into the store"));
            return Task.FromResult(ExitCode.Success);
        }));
        return command;
    }

    private static void Write(
        CommandConsole console, QuarantinedPiece piece,
        IReadOnlyList<(string ProducerId, long FirstOffset, int Rows)> producers,
        List<IReadOnlyDictionary<string, string>> rows)
    {
        console.Out.WriteLine($"{piece.Name}: {KindOf(piece.Kind)} of table {piece.Table}");
        console.Out.WriteLine($"  set aside  {LogInspectCommand.Time(piece.At)}");
        console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  segment    {piece.SegmentId}"));
        console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"  content    {piece.Blocks:N0} blocks, {piece.Rows:N0} rows, {piece.Bytes:N0} bytes"));
        console.Out.WriteLine($"  checksums  {piece.Fault ?? "good"}");
        if (piece.Reason.Length > 0)
        {
            console.Out.WriteLine($"  reason     {piece.Reason}");
        }
        foreach (var (producer, first, count) in producers)
        {
            console.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"  producer   {producer}: offsets {first:N0} to {first + count - 1:N0}"));
        }
        foreach (var row in rows)
        {
            console.Out.WriteLine();
            foreach (var (column, value) in row)
            {
                console.Out.WriteLine($"  {column} = {value}");
            }
        }
    }

    private static string Why(QuarantinedPiece piece)
    {
        var why = piece.Reason.Length > 0 ? piece.Reason : piece.Fault ?? "";
        return why.Length > MostReasonCharacters ? why[..MostReasonCharacters] + "..." : why;
    }

    private static string KindOf(QuarantineKind kind) => kind switch
    {
        QuarantineKind.Block => "damaged block",
        QuarantineKind.Segment => "segment",
        QuarantineKind.RefusedRows => "refused rows",
        _ => "producers",
    };
}
