using System.CommandLine;
using Ingest.Cli.Query;
using Spectre.Console;

namespace Ingest.Cli.Commands;

/// <summary>`ingest query "SQL"`</summary>
internal static class QueryCommand
{
    public static Command Create(CommandConsole console)
    {
        var sql = new Argument<string>("SQL") { Description = "One read-only statement; - reads it from standard input" };
        var http = new HttpOptions();
        var format = new Option<string?>("--format")
        {
            Description = "A ClickHouse format [default: a table on a terminal, else TabSeparated]",
            HelpName = "name",
        };
        var command = new Command("query", "Asks the server with SQL.") { sql, format };
        http.AddTo(command);
        command.SetAction((result, cancellationToken) => CommandFailure.GuardAsync(console, async () =>
        {
            using var client = http.CreateClient(result);
            var text = result.GetRequiredValue(sql);
            text = text == "-" ? await Console.In.ReadToEndAsync(cancellationToken) : text;
            await RunAsync(console, client, text, result.GetValue(format), cancellationToken);
            return ExitCode.Success;
        }));
        return command;
    }

    private static Task RunAsync(
        CommandConsole console, QueryClient client, string sql, string? format, CancellationToken cancellationToken)
    {
        if (format is not null)
        {
            sql = QueryText.WithFormat(sql, format);
        }
        else if (console.OutIsTerminal && !QueryText.HasFormat(sql))
        {
            var terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(console.Out) });
            return client.ReadAsync(
                QueryText.WithFormat(sql, QueryText.TableFormat),
                answer => QueryTable.WriteAsync(answer, terminal, cancellationToken),
                cancellationToken);
        }
        return client.ReadAsync(sql, CopyAsync, cancellationToken);

        // Bytes as they are: a format may be binary.
        async Task CopyAsync(Stream answer)
        {
            await using var output = console.OpenOut();
            await answer.CopyToAsync(output, cancellationToken);
        }
    }
}
