using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Ingest.Cli.Commands;

/// <summary>`ingest version`</summary>
internal static class VersionCommand
{
    public static Command Create(CommandConsole console)
    {
        var command = new Command("version", "Prints the version.");
        command.SetAction(_ =>
        {
            var version = typeof(VersionCommand).Assembly
                .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
            console.Out.WriteLine(
                $"ingest {version} ({RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier})");
            return ExitCode.Success;
        });
        return command;
    }
}
