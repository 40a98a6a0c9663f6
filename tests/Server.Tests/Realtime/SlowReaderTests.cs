using System.Text.Json.Nodes;
using Ingest.Server.Realtime;
using Ingest.Server.Tests.Grpc;
using Ingest.Server.Tests.Observability;
using Ingest.Topics;

namespace Ingest.Server.Tests.Realtime;

/// <summary>Clients that do not read: nobody else notices, what they cost is bounded, and they do not stay.</summary>
[Collection(ObservedHost.OneAtATime)]
public sealed class SlowReaderTests
{
    private const int Updates = 300;
    private const int Bytes = 100_000;

    // What the kernel takes of a connection over loopback, up to 4 and 16 MiB as a rule, and Kestrel, and a turn: less
    // than all updates are.
    private const long MostHeldBytes = 24_000_000;

    // A reader that reads is held up by a busy machine for less.
    private static readonly TimeSpan s_unreadTimeout = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData("websocket")]
    [InlineData("sse")]
    public async Task Stalled_reader_is_cut_off_and_the_others_read_on(string transport)
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { UnreadTimeout = s_unreadTimeout });
        const string Query = "?topics=alerts&overflow=block";
        using SocketClient reader = await SocketClient.ConnectAsync(server.Socket("/ws" + Query));
        await reader.ReadAsync("subscription_confirmed");
        using RawSocket stalled = transport == "sse"
            ? await RawSocket.ConnectAsync(new Uri(server.Address, "/stream/events" + Query), ("Upgrade", ""))
            : await RawSocket.ConnectAsync(server.Socket("/ws" + Query));
        await Wait.UntilAsync(() => server.Topics.Subscriptions.Count == 2, "both have subscribed");

        Task publishing = server.PublishAsync(0, Updates, message: new string('x', Bytes));
        Assert.Equal(Enumerable.Range(0, Updates), (await reader.ReadAlertsAsync(Updates)).Numbers);
        await publishing;

        await Wait.UntilAsync(() => server.Topics.Subscriptions.Count == 1, "the stalled one is cut off");
        JsonNode status = JsonNode.Parse(await server.Http.GetStringAsync("/realtime/status"))!;
        JsonNode connections = JsonNode.Parse(await server.Http.GetStringAsync("/realtime/connections"))!;
        long read = (long)Assert.Single(connections["connections"]!.AsArray())!["bytes_sent"]!;
        Assert.InRange(read, Updates * Bytes, 2 * Updates * Bytes);
        Assert.InRange((long)status["bytes_sent"]! - read, 0, MostHeldBytes);
        string metrics = await server.Http.GetStringAsync("/metrics");
        Assert.Matches(
            $$"""\ningest_realtime_connections_unread_total\{[^}]*transport="{{transport}}"\} 1\n""", metrics);
        Assert.InRange(await stalled.ReadToEndAsync(), 0, MostHeldBytes);
        await reader.PingAsync();
    }

    [Fact]
    public async Task Socket_with_the_policy_disconnect_is_closed_with_4008_and_the_token_goes_on()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            topics: new TopicOptions { MaxLagMessages = 20 });
        using SocketClient slow = await SocketClient.ConnectAsync(
            server.Socket("/ws?topics=alerts&overflow=disconnect"));
        await slow.ReadAsync("subscription_confirmed");
        await server.PublishAsync(0, Updates, message: new string('x', Bytes));

        List<JsonObject> messages = await slow.ReadToEndAsync();

        Assert.Equal(WebSocketCloseCodes.SlowConsumer, (int)slow.CloseStatus!);
        JsonNode error = messages[^1]["payload"]!;
        Assert.Equal("slow_consumer", (string?)error["code"]);
        int read = messages.Count - 1;
        Assert.Equal(Enumerable.Range(0, read), messages.SkipLast(1).Select(SocketClient.NumberOf));
        using SocketClient next = await SocketClient.ConnectAsync(
            server.Socket($"/ws?topics=alerts&overflow=block&resume_token={(string?)error["resume_token"]}"));
        await next.ReadAsync("subscription_confirmed");
        Assert.Equal(Enumerable.Range(read, Updates - read), (await next.ReadAlertsAsync(Updates - read)).Numbers);
    }

    [Fact]
    public async Task Stream_with_the_policy_disconnect_ends_and_the_browsers_token_goes_on()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            topics: new TopicOptions { MaxLagMessages = 20 });
        using EventStream slow = await EventStream.OpenAsync(server.Http, "/stream/topic/alerts");
        await slow.ReadAsync("subscription_confirmed");
        await server.PublishAsync(0, Updates, message: new string('x', Bytes));
        int read = 0;
        JsonObject? message;
        while ((string?)(message = await slow.TryReadAsync())!["message_type"] == "realtime_event")
        {
            Assert.Equal(read++, SocketClient.NumberOf(message!));
        }

        Assert.Equal("slow_consumer", (string?)message["payload"]!["code"]);
        Assert.Null(await slow.TryReadAsync());
        using EventStream next = await EventStream.OpenAsync(
            server.Http, "/stream/topic/alerts?overflow=block", ("Last-Event-ID", slow.LastId));
        await next.ReadAsync("subscription_confirmed");
        Assert.Equal(Enumerable.Range(read, Updates - read), await next.ReadAlertsAsync(Updates - read));
    }

    [Fact]
    public async Task What_is_dropped_for_a_slow_reader_stands_in_a_gap()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            topics: new TopicOptions { MaxLagMessages = 20 });
        using SocketClient slow = await SocketClient.ConnectAsync(
            server.Socket("/ws?topics=alerts&overflow=drop_oldest"));
        await slow.ReadAsync("subscription_confirmed");
        await server.PublishAsync(0, Updates, message: new string('x', Bytes));
        long next = 0;
        long dropped = 0;
        while (next < Updates)
        {
            JsonObject message = (await slow.TryReadAsync())!;
            JsonNode payload = message["payload"]!;
            Assert.NotEmpty((string)message["resume_token"]!);
            if ((string?)message["message_type"] == "gap")
            {
                Assert.Equal("dropped", (string?)payload["reason"]);
                Assert.Equal(next, (long)payload["from_offset"]!);
                next = (long)payload["to_offset"]!;
                dropped += (long)payload["dropped_count"]!;
            }
            else
            {
                Assert.Equal(next++, SocketClient.NumberOf(message));
            }
        }

        Assert.InRange(dropped, 1, Updates);
    }
}
