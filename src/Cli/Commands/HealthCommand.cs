using System.CommandLine;

namespace Ingest.Cli.Commands;

/// <summary>`ingest health`</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    public static Command Create(CommandConsole console)
    {
        var command = new Command("health", "Asks whether the server takes calls; exit code 0 when it does, 3 when not.");
        var server = new ServerOptions();
        server.AddTo(command);
        command.SetAction((result, cancellationToken) => CommandFailure.GuardAsync(console, async () =>
        {
            using var client = server.CreateClient(result);
            var isServing = await client.IsServingAsync(Timeout, cancellationToken);
            console.Out.WriteLine(isServing ? "serving" : "not serving");
            return isServing ? ExitCode.Success : ExitCode.ServerError;
        }));
        return command;
    }
}
