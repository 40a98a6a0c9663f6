using System.CommandLine;

namespace Ingest.Cli.Commands;

/// <summary>`ingest log`: what lies in a server's data directory.</summary>
internal static class LogCommand
{
    public static Command Create(CommandConsole console) =>
        new("log", "Looks at the log in a server's data directory, and mends what is damaged.")
        {
            LogInspectCommand.Create(console),
            LogVerifyCommand.Create(console),
            LogRepairCommand.Create(console),
            LogQuarantineCommand.Create(console),
        };

    /// <summary>The option that names the directory.</summary>
    public static Option<string> DataOption() => new("--data")
    {
        Description = "The server's data directory",
        HelpName = "directory",
        DefaultValueFactory = _ => "./data",
    };

    /// <summary>The option that asks for JSON.</summary>
    public static Option<bool> JsonOption() => new("--json") { Description = "Writes JSON, for programs" };
}
