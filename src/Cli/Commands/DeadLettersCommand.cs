using System.CommandLine;
using System.Globalization;
using Ingest.Cli.DeadLetters;

namespace Ingest.Cli.Commands;

/// <summary>`ingest dead-letters`</summary>
internal static class DeadLettersCommand
{
    private const int MostReasonCharacters = 100;

    public static Command Create(CommandConsole console) =>
        new("dead-letters", "Rows that were rejected, or that the store refused: shows them and sends them again.")
        {
            CreateList(console), CreateShow(console), DeadLettersReplayCommand.Create(console),
        };

    private static Command CreateList(CommandConsole console)
    {
        var filter = new LetterOptions();
        var http = new HttpOptions();
        var json = LogCommand.JsonOption();
        var limit = new Option<long>("--limit")
        {
            Description = "Letters that are shown, the latest first", HelpName = "count", DefaultValueFactory = _ => 100,
        };
        var command = new Command("list", "Lists dead letters, the latest first.") { limit, json };
        filter.AddTo(command);
        http.AddTo(command);
        command.SetAction((result, cancellationToken) => CommandFailure.GuardAsync(console, async () =>
        {
            using var client = http.CreateClient(result);
            var letters = await new LetterBox(client).ReadAsync(
                filter.Read(result, []), result.GetValue(limit), cancellationToken);
            if (result.GetValue(json))
            {
                JsonReport.Write(console, letters);
                return ExitCode.Success;
            }

            var table = new ReportTable("id", "received", "table", "producer", "offset#", "bytes#", "reason");
            foreach (var letter in letters)
            {
                table.Add(
                    letter.Id, LogInspectCommand.Time(letter.ReceivedAt), letter.Table, letter.ProducerId,
                    letter.ProducerOffset < 0 ? "" : LogInspectCommand.Number(letter.ProducerOffset),
                    LogInspectCommand.Number(letter.Row.Length), Shorten(Reason(letter)));
            }
            if (letters.Count == 0)
            {
                console.Out.WriteLine("no dead letters");
            }
            else
            {
                table.Write(console);
            }
            return ExitCode.Success;
        }));
        return command;
    }

    private static Command CreateShow(CommandConsole console)
    {
        var id = new Argument<string>("ID") { Description = "The letter, as list names it; 4 digits at least" };
        var http = new HttpOptions();
        var command = new Command("show", "Shows a dead letter with its row as JSON.") { id };
        http.AddTo(command);
        command.SetAction((result, cancellationToken) => CommandFailure.GuardAsync(console, async () =>
        {
            using var client = http.CreateClient(result);
            var letters = await new LetterBox(client).ReadAsync(
                new LetterFilter([result.GetRequiredValue(id)], null, null, null), 2, cancellationToken);
            if (letters.Count != 1)
            {
                throw new UsageException(letters.Count == 0
                    ? $"There is no dead letter {result.GetRequiredValue(id)}."
                    : $"Several dead letters begin with {result.GetRequiredValue(id)}; give more digits.");
            }

            var letter = letters[0];
            console.Out.WriteLine($"id        {letter.Id}");
            console.Out.WriteLine($"received  {LogInspectCommand.Time(letter.ReceivedAt)}");
            console.Out.WriteLine($"table     {letter.Table}");
            console.Out.WriteLine($"producer  {(letter.ProducerId.Length > 0 ? letter.ProducerId : "-")}");
            console.Out.WriteLine(
                $"offset    {(letter.ProducerOffset < 0 ? "-" : letter.ProducerOffset.ToString(CultureInfo.InvariantCulture))}");
            console.Out.WriteLine($"reason    {Reason(letter)}");
            console.Out.WriteLine(LetterContent.Describe(letter));
            return ExitCode.Success;
        }));
        return command;
    }

    private static string Reason(Letter letter) =>
        letter.Field.Length > 0 ? $"{letter.Reason} ({letter.Field})" : letter.Reason;

    private static string Shorten(string text) =>
        text.Length > MostReasonCharacters ? text[..MostReasonCharacters] + "..." : text;
}
