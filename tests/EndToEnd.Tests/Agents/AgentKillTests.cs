using Google.Protobuf.WellKnownTypes;
using Ingest.EndToEnd.Tests.Subscriptions;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Agents;

/// <summary>kill -9 of the server again and again: an agent acts on every durable row once.</summary>
public sealed class AgentKillTests
{
    private static readonly int s_kills = Environment.GetEnvironmentVariable("INGEST_CHAOS") == "long" ? 40 : 3;

    [SkippableFact]
    [Trait("Category", "Chaos")]
    public async Task An_agent_acts_once_on_every_event_over_kills()
    {
        Engine.Require();
        var random = new Random(11);
        int next = 0;
        await using EchoServer server = await EchoServer.StartAsync();
        for (int kill = 0; kill < s_kills; kill++)
        {
            string address = server.Address;
            int enough = next + random.Next(20, 120);
            using var stop = new CancellationTokenSource();
            Task[] senders =
                [.. Enumerable.Range(0, 4)
                    .Select(_ => SendAsync(address, () => Interlocked.Increment(ref next), stop.Token))];
            DateTime deadline = DateTime.UtcNow.AddSeconds(60);
            while (Volatile.Read(ref next) < enough)
            {
                Assert.True(DateTime.UtcNow < deadline, "nothing was taken");
                await Task.Delay(random.Next(1, 20));
            }

            Task killed = server.ReplaceKilledAsync();
            await stop.CancelAsync();
            await Task.WhenAll([killed, .. senders]);
        }

        // Whatever was acknowledged or not: what is in the table was acted upon, once.
        await server.Process.ExpectAsync(
            "1",
            "SELECT (SELECT count() FROM events) = (SELECT count() FROM custom_updates) "
            + "AND (SELECT count() FROM events) > 0", seconds: 60);
        Assert.Equal("0", await server.Process.QueryAsync("SELECT count() - uniqExact(key) FROM custom_updates"));
        Assert.Equal(
            "0",
            await server.Process.QueryAsync(
                "SELECT count() FROM events WHERE entity_id NOT IN (SELECT key FROM custom_updates)"));
    }

    // A few events a request, each sent once: what was not acknowledged may have come or not.
    private static async Task SendAsync(string address, Func<int> next, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var request = new StreamEventsRequest();
            for (int i = 0; i < 3; i++)
            {
                string id = $"e{next()}";
                request.Events.Add(new Event
                {
                    EventId = id,
                    EventType = "echo",
                    EntityType = "kills",
                    EntityId = id,
                    Timestamp = Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow),
                    Properties = new Struct { Fields = { ["id"] = Value.ForString(id) } },
                });
            }

            try
            {
                await RawCall.SendAsync(address, "StreamEvents", PointFrames.Frame(request));
            }
            catch (Exception error) when (error is HttpRequestException or IOException or KeyNotFoundException)
            {
                return; // Killed.
            }
        }
    }
}
