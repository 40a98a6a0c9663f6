using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ingest.Server.Realtime;
using Ingest.Server.Tests.Grpc;
using Ingest.Server.Tests.Observability;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Server.Tests.Realtime;

[Collection(ObservedHost.OneAtATime)]
public sealed class RealtimeStatusTests
{
    [Fact]
    public async Task Health_keeps_what_it_says_and_counts_connections_messages_and_errors()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        JsonNode before = await GetAsync(server, "/health");
        Assert.Equal(
            ["status", "service", "version", "uptime_seconds", "realtime_enabled", "websocket_enabled", "connections",
                "message_count", "error_count"],
            before.AsObject().Select(field => field.Key));
        Assert.Equal("ok", (string?)before["status"]);
        Assert.Equal("ingest", (string?)before["service"]);
        Assert.True((bool)before["realtime_enabled"]!);
        Assert.True((bool)before["websocket_enabled"]!);
        Assert.Equal(0, (int)before["connections"]!);

        using SocketClient client = await SocketClient.ConnectAsync(server.Socket());
        using EventStream stream = await EventStream.OpenAsync(server.Http, "/stream/events");
        await stream.ReadAsync("subscription_confirmed");
        await client.PingAsync();
        await client.SendAsync("nonsense");
        await client.ReadAsync("error");

        JsonNode after = await GetAsync(server, "/health");
        Assert.Equal(2, (int)after["connections"]!);
        Assert.Equal(3, (int)after["message_count"]!);
        Assert.Equal(1, (int)after["error_count"]!);
    }

    [Fact]
    public async Task Health_says_what_is_off_and_nothing_of_it_is_served()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(new RealtimeOptions { Enabled = false });
        JsonNode health = await GetAsync(server, "/health");
        Assert.False((bool)health["realtime_enabled"]!);
        Assert.False((bool)health["websocket_enabled"]!);
        foreach (string path in new[] { "/ws", "/stream/events", "/realtime/status" })
        {
            using HttpResponseMessage answer = await server.Http.GetAsync(path);
            Assert.Equal(404, (int)answer.StatusCode);
        }
    }

    [Fact]
    public async Task Connections_shows_totals_topics_and_how_far_each_subscriber_is_behind()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        using SocketClient client = await SocketClient.ConnectAsync(server.Socket());
        await client.SubscribeAsync("""{"topics":["alerts"],"overflow":"drop_oldest","from":"earliest"}""");

        // A subscriber that does not read, of another transport.
        using Subscription idle = await server.Topics.SubscribeAsync(new SubscriptionOptions
        {
            Topics = ["alerts"], Position = StartPosition.Earliest, Overflow = OverflowPolicy.Block, Transport = "grpc",
            Remote = "10.0.0.1:5",
        });
        TopicUpdate first = await server.PublishAsync(0);
        await server.PublishAsync(1, 6);
        TopicUpdate last = await server.PublishAsync(6);
        await client.ReadAlertsAsync(7);

        JsonNode connections = await GetAsync(server, "/realtime/connections");
        Assert.Equal(1, (int)connections["totals"]!["connections"]!);
        Assert.Equal(1, (int)connections["totals"]!["websocket_connections"]!);
        Assert.Equal(0, (int)connections["totals"]!["sse_connections"]!);
        Assert.Equal(2, (int)connections["totals"]!["subscribers"]!);
        JsonNode topic = connections["topics"]!.AsArray().Single(t => (string?)t!["topic"] == "alerts")!;
        Assert.Equal(2, (int)topic["subscribers"]!);
        JsonNode grpc = connections["subscribers"]!.AsArray().Single(s => (string?)s!["transport"] == "grpc")!;
        Assert.Equal("block", (string?)grpc["policy"]);
        Assert.Equal("10.0.0.1:5", (string?)grpc["remote"]);
        Assert.Equal(7, (long)grpc["lag_messages"]!);
        Assert.True(last.EmittedAt > first.EmittedAt);
        Assert.Equal((last.EmittedAt - first.EmittedAt).TotalSeconds, (double)grpc["lag_seconds"]!, 1e-6);
        Assert.Equal(0, (long)grpc["dropped"]!);
        JsonNode socket = connections["subscribers"]!.AsArray().Single(s => (string?)s!["transport"] == "websocket")!;
        Assert.Equal("drop_oldest", (string?)socket["policy"]);
        Assert.Equal(0, (long)socket["lag_messages"]!);
        Assert.Equal(7, (long)socket["delivered"]!);
        JsonNode connection = Assert.Single(connections["connections"]!.AsArray())!;
        Assert.Equal("/ws", (string?)connection["path"]);
        Assert.Equal(8, (long)connection["messages_sent"]!);
        Assert.True((long)connection["bytes_sent"]! > 7 * 100);

        JsonNode status = await GetAsync(server, "/realtime/status");
        JsonNode alerts = status["topics"]!.AsArray().Single(t => (string?)t!["topic"] == "alerts")!;
        Assert.Equal(7, (long)alerts["next_offset"]!);
        Assert.Equal(0, (long)alerts["oldest_offset"]!);
        Assert.Equal(8, (long)status["messages_sent"]!);
        Assert.Equal(1, (long)status["messages_received"]!);
    }

    [Fact]
    public async Task Metrics_show_connections_and_messages()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        using SocketClient client = await SocketClient.ConnectAsync(server.Socket());
        await client.PingAsync();
        string metrics = await server.Http.GetStringAsync("/metrics");
        Assert.Matches("""\ningest_realtime_connections\{[^}]*transport="websocket"\} 1\n""", metrics);
        Assert.Matches("""\ningest_realtime_messages_sent_total\{[^}]*transport="websocket"\} 1\n""", metrics);
        Assert.Matches("""\ningest_realtime_connections\{[^}]*transport="sse"\} 0\n""", metrics);
        Assert.Matches("""\ningest_realtime_messages_received_total\{[^}]*\} 1\n""", metrics);
        client.Abort();
        await Wait.UntilAsync(() => server.Drain.ActiveCalls == 0, "it is gone");
    }

    [SkippableFact]
    public async Task Metrics_show_subscriptions_of_each_transport_and_keep_counting_those_that_have_ended()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            topics: new TopicOptions { MaxCount = 64, MaxLagMessages = 16 });
        using Subscription idle = await SubscribeAsync(server, OverflowPolicy.Block);
        using (Subscription dropping = await SubscribeAsync(server, OverflowPolicy.DropOldest))
        using (Subscription slow = await SubscribeAsync(server, OverflowPolicy.Disconnect))
        {
            Assert.False(dropping.TryRead(out _) || slow.TryRead(out _));
            await server.PublishAsync(0, 18);
            Assert.True(dropping.TryRead(out SubscriptionItem gap) && gap.Gap is { DroppedCount: 4 });
            Assert.True(dropping.TryRead(out _) && dropping.TryRead(out _));
            Assert.False(slow.TryRead(out _));
            using EventStream stream = await EventStream.OpenAsync(server.Http, "/stream/topic/alerts?from=earliest");
            await stream.ReadAsync("subscription_confirmed");
            await stream.ReadAlertsAsync(18);
            await MetricAsync(server, "updates_total", "sse", 18);
            await MetricAsync(server, "active", "grpc", 3);
            await MetricAsync(server, "lag_updates", "grpc", 18);
        }

        await MetricAsync(server, "active", "grpc", 1);
        foreach ((string name, int value) in new[]
            { ("begun_total", 3), (
                "updates_total", 2), ("gaps_total", 1), ("dropped_total", 4), ("too_slow_total", 1) })
        {
            await MetricAsync(server, name, "grpc", value);
        }

        string text = await server.Http.GetStringAsync("/metrics");
        Assert.Matches("""\ningest_subscription_lag_seconds\{[^}]*transport="grpc"\} \d""", text);
        await Promtool.CheckAsync(text);
    }

    private static async Task<Subscription> SubscribeAsync(RealtimeServer server, OverflowPolicy overflow) =>
        await server.Topics.SubscribeAsync(new SubscriptionOptions
        {
            Topics = ["alerts"], Overflow = overflow, Transport = "grpc",
        });

    // A stream counts what it sent when it has sent it, and numbers hold for a moment.
    private static async Task MetricAsync(RealtimeServer server, string name, string transport, int value)
    {
        string line = $$"""\ningest_subscription_{{name}}\{[^}]*transport="{{transport}}"\} {{value}}\n""";
        var clock = Stopwatch.StartNew();
        while (await server.Http.GetStringAsync("/metrics") is var text && !Regex.IsMatch(text, line))
        {
            Assert.True(clock.Elapsed < Wait.Limit, $"{line} does not come in\n{text}");
            await Task.Delay(5);
        }
    }

    private static async Task<JsonNode> GetAsync(RealtimeServer server, string path)
    {
        using HttpResponseMessage response = await server.Http.GetAsync(path);
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
    }
}
