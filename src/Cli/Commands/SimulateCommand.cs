using System.CommandLine;

namespace Ingest.Cli.Commands;

internal static class SimulateCommand
{
    public static Command Create(CommandConsole console) => new("simulate", "");
}
