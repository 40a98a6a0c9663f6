using Google.Protobuf.WellKnownTypes;
using Ingest.Client;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>
/// Server processes, one after the other on the same ports and data, with an agent that pushes what events have in
/// them.
/// </summary>
internal sealed class EchoServer : IAsyncDisposable
{
    private readonly string[] _settings;
    private ServerProcess _server;

    private EchoServer(ServerProcess server, string[] settings) => (_server, _settings) = (server, settings);

    public string Address => _server.GrpcAddress;

    public string Authority => new Uri(Address).Authority;

    public ServerProcess Process => _server;

    public static async Task<EchoServer> StartAsync(params string[] settings)
    {
        Engine.Require();
        string agent = Path.Combine(
            Data.Repository(), "tests", "EchoAgent", "bin", Configuration(), "net10.0", "Ingest.EchoAgent.dll");
        settings = [.. settings, $"Agents:Assemblies:0={agent}"];
        return new EchoServer(await ServerProcess.StartAsync(null, settings), settings);
    }

    /// <summary>Sends events that become updates with these numbers; returns when they are durable.</summary>
    public async Task PublishAsync(int first, int count)
    {
        using var client = new IngestClient(new Uri(Address));
        await using IngestStream<Event> stream = client.OpenEvents(new StreamOptions { Linger = TimeSpan.Zero });
        for (int number = first; number < first + count; number++)
        {
            await stream.WriteAsync(new Event
            {
                EventId = $"{number}",
                EventType = "echo",
                EntityType = SubscriptionHost.Topic,
                EntityId = $"key-{number % 7}",
                Timestamp = Timestamp.FromDateTime(DateTime.UtcNow),
                Properties = Numbers.Payload(number),
            });
        }

        Assert.Equal(count, (await stream.CompleteAsync()).AcceptedCount);
    }

    /// <summary>Kills the server as a power cut would, and starts another one in its place.</summary>
    public async Task ReplaceKilledAsync()
    {
        await _server.KillAsync();
        await StartNextAsync();
    }

    /// <summary>Stops the server as an orchestrator does, and starts another one in its place.</summary>
    public async Task ReplaceStoppedAsync()
    {
        Assert.Equal(0, await _server.StopAsync());
        await StartNextAsync();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task StartNextAsync()
    {
        string[] ports =
        [
            $"GrpcPort={new Uri(_server.GrpcAddress).Port}", $"HttpPort={new Uri(_server.HttpAddress).Port}",
        ];
        _server = await ServerProcess.StartAsync(_server.DataDirectory, [.. _settings, .. ports]);
    }

    private static string Configuration() =>
        new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name; // bin/CONFIGURATION/net10.0
}
