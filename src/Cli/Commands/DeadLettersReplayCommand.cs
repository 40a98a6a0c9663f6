using System.CommandLine;
using Ingest.Cli.DeadLetters;
using Ingest.Client.Calls;

namespace Ingest.Cli.Commands;

/// <summary>`ingest dead-letters replay`</summary>
internal static class DeadLettersReplayCommand
{
    public static Command Create(CommandConsole console)
    {
        var ids = new Argument<string[]>("ID")
        {
            Description = "The letters, as list names them; none for all that the options leave",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var all = new Option<bool>("--all") { Description = "All letters, where nothing else says which" };
        var filter = new LetterOptions();
        var server = new ServerOptions();
        var http = new HttpOptions();
        var command = new Command("replay", "Sends the rows of dead letters again, each once however often it is asked for.")
        {
            ids, all,
        };
        filter.AddTo(command);
        server.AddTo(command);
        http.AddTo(command, hasApiKey: true);
        command.SetAction((result, cancellationToken) => CommandFailure.GuardAsync(console, async () =>
        {
            var meant = filter.Read(result, result.GetValue(ids) ?? []);
            if (meant.IsAll && !result.GetValue(all))
            {
                throw new UsageException("Say which: ids, --table, --reason, --since, or --all.");
            }

            using var client = http.CreateClient(result);
            using var channel = new RpcChannel(server.ReadOptions(result));
            var box = new LetterBox(client);
            var letters = await box.ReadAsync(meant, int.MaxValue, cancellationToken);
            var results = await new ReplayJob(box, new ReplayCall(channel)).RunAsync(letters, cancellationToken);
            foreach (var (letter, outcome, reason) in results)
            {
                console.Out.WriteLine(
                    $"{letter.Id} {letter.Table}: {Name(outcome)}{(reason.Length > 0 ? $": {reason}" : "")}");
            }
            console.Out.WriteLine(string.Join(", ", Enum.GetValues<ReplayOutcome>()
                .Select(kind => $"{Name(kind)} {LogInspectCommand.Number(results.Count(r => r.Outcome == kind))}")));
            return results.Any(r => r.Outcome is ReplayOutcome.Rejected or ReplayOutcome.Refused)
                ? ExitCode.SomeRejected
                : ExitCode.Success;
        }));
        return command;
    }

    private static string Name(ReplayOutcome outcome) => outcome switch
    {
        ReplayOutcome.Replayed => "replayed",
        ReplayOutcome.Already => "replayed before",
        ReplayOutcome.Rejected => "rejected again",
        _ => "not taken",
    };
}
