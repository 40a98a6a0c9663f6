using System.CommandLine;

namespace Ingest.Cli.Commands;

/// <summary>The command line: all commands, each with examples in its help.</summary>
internal static class IngestCommand
{
    /// <summary>Runs what the arguments say.</summary>
    /// <returns>The <see cref="ExitCode"/>.</returns>
    public static Task<int> RunAsync(CommandConsole console, string[] arguments)
    {
        var result = Create(console).Parse(arguments);
        if (result.Errors.Count > 0)
        {
            var help = $"ingest {CommandExamples.PathOf(result)}--help";
            var fault = result.UnmatchedTokens.Count > 0
                ? $"'{result.UnmatchedTokens[0]}' is no command or option."
                : result.Errors[0].Message;
            console.Error.WriteLine($"ingest: {fault} See {help}");
            return Task.FromResult(ExitCode.Usage);
        }
        return result.InvokeAsync(new InvocationConfiguration
        {
            Output = console.Out,
            Error = console.Error,
            EnableDefaultExceptionHandler = false,
        });
    }

    private static RootCommand Create(CommandConsole console)
    {
        var root = new RootCommand("Streams data to an Ingest server, follows what it concludes, and asks for it with SQL.")
        {
            StreamCommand.Create(console),
            SubscribeCommand.Create(console),
            QueryCommand.Create(console),
            SimulateCommand.Create(console),
            DeadLettersCommand.Create(console),
            LogCommand.Create(console),
            HealthCommand.Create(console),
            VersionCommand.Create(console),
        };
        CommandExamples.AddTo(root);
        return root;
    }
}
