using System.CommandLine;

namespace Ingest.Cli.Commands;

/// <summary>The command line: all commands, each with examples in its help.</summary>
internal static class IngestCommand
{
    public static RootCommand Create(CommandConsole console)
    {
        var root = new RootCommand("Streams data to an Ingest server, and asks for it with SQL.")
        {
            StreamCommand.Create(console),
            QueryCommand.Create(console),
            SimulateCommand.Create(console),
            HealthCommand.Create(console),
            VersionCommand.Create(console),
        };
        CommandExamples.AddTo(root);
        return root;
    }
}
