using System.CommandLine;
using Ingest.Cli.Subscribing;
using Ingest.Client;
using Ingest.Protocol;

namespace Ingest.Cli.Commands;

/// <summary>`ingest subscribe TOPICS...`</summary>
internal static class SubscribeCommand
{
    public static Command Create(CommandConsole console)
    {
        var command = new Command(
            "subscribe", "Prints the updates of topics as they happen; goes on where it was when the connection breaks.");
        var options = new SubscribeCommandOptions();
        options.AddTo(command);
        var server = new ServerOptions();
        server.AddTo(command);
        command.SetAction((result, cancellationToken) => CommandFailure.GuardAsync(console, async () =>
        {
            var subscribe = options.Read(result) with
            {
                Disconnected = fault => console.Error.WriteLine($"ingest: {Describe(fault)}; trying again"),
            };
            var count = options.ReadCount(result);
            using var client = server.CreateClient(result);
            var printer = new DeliveryPrinter(console.Out, options.IsJson(result) || !console.OutIsTerminal);
            return await PrintAsync(client.SubscribeAsync(subscribe), printer, count, cancellationToken);
        }));
        return command;
    }

    private static async Task<int> PrintAsync(
        IAsyncEnumerable<Delivery> deliveries, DeliveryPrinter printer, long? count, CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var left = count;
        try
        {
            await foreach (var delivery in deliveries.WithCancellation(enough.Token))
            {
                printer.Print(delivery);
                if (delivery.Update is not null && --left == 0)
                {
                    // Not left here: what was printed last counts as handled when the next one is asked for.
                    await enough.CancelAsync();
                }
            }
        }
        catch (OperationCanceledException) when (left == 0)
        {
            // It was asked for.
        }
        return ExitCode.Success;
    }

    private static string Describe(RpcException fault) =>
        fault.StatusCode == StatusCode.Unavailable ? fault.Detail.TrimEnd('.') : $"{fault.StatusCode}: {fault.Detail.TrimEnd('.')}";
}
