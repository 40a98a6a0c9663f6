using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Ingest.Server.Realtime;
using Ingest.Server.Tests.Grpc;
using Ingest.Server.Tests.Observability;

namespace Ingest.Server.Tests.Realtime;

[Collection(ObservedHost.OneAtATime)]
public sealed class WebSocketTests
{
    [Fact]
    public async Task Subscriber_is_told_where_it_starts_and_gets_updates()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        await server.PublishAsync(0, 3);
        using SocketClient client = await SocketClient.ConnectAsync(server.Socket());

        JsonObject confirmed = await client.SubscribeAsync("""{"id":"mine","topics":["alerts"],"overflw":"block"}""");

        JsonNode payload = confirmed["payload"]!;
        Assert.Equal("subscribe", (string?)payload["action"]);
        Assert.Equal("mine", (string?)payload["id"]);
        Assert.Equal("""["alerts"]""", payload["topics"]!.ToJsonString());
        Assert.Equal("""["overflw"]""", payload["ignored"]!.ToJsonString());
        JsonNode position = Assert.Single(payload["positions"]!.AsArray())!;
        Assert.Equal("alerts", (string?)position["topic"]);
        Assert.Equal(3, (long)position["offset"]!);
        Assert.NotEmpty((string)position["epoch"]!);
        Assert.NotEmpty((string)payload["resume_token"]!);

        await server.PublishAsync(3);
        JsonObject update = await client.ReadAsync("realtime_event");
        Assert.Equal("mine", (string?)update["id"]);
        Assert.Equal("alerts", (string?)update["payload"]!["topic"]);
        Assert.Equal("k3", (string?)update["payload"]!["key"]);
        Assert.Equal("3", (string?)update["payload"]!["offset"]);
        Assert.Equal("3", (string?)update["payload"]!["alert"]!["alert_id"]);
        await client.CloseAsync();
        Assert.Equal(WebSocketCloseStatus.NormalClosure, client.CloseStatus);
    }

    [Fact]
    public async Task Token_goes_on_with_nothing_missed_and_nothing_twice()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        await server.PublishAsync(0, 100);
        using SocketClient first = await SocketClient.ConnectAsync(server.Socket());
        await first.SubscribeAsync("""{"topics":"alerts","from":"earliest"}""");
        (List<int> before, string token) = await first.ReadAlertsAsync(37);
        first.Abort();
        await server.PublishAsync(100, 150);

        using SocketClient second = await SocketClient.ConnectAsync(server.Socket());
        JsonObject confirmed = await second.SubscribeAsync($$"""{"topics":["alerts"],"resume_token":"{{token}}"}""");

        Assert.True((bool)confirmed["payload"]!["positions"]![0]!["recovered"]!);
        Assert.Equal(37, (long)confirmed["payload"]!["positions"]![0]!["offset"]!);
        (List<int> after, _) = await second.ReadAlertsAsync(113);
        Assert.Equal(Enumerable.Range(0, 150), before.Concat(after));
    }

    [Fact]
    public async Task Connection_has_several_subscriptions_and_ends_one()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        using SocketClient client = await SocketClient.ConnectAsync(server.Socket());
        await client.SubscribeAsync("""{"id":"k1","topics":["alerts"],"keys":["k1"]}""");
        JsonObject second = await client.SubscribeAsync("""{"topics":[">"],"keys":["k2"]}""");
        Assert.Equal("s1", (string?)second["payload"]!["id"]);
        await server.PublishAsync(1);
        Assert.Equal("k1", (string?)(await client.ReadAsync("realtime_event"))["id"]);
        await server.PublishAsync(2);
        Assert.Equal("s1", (string?)(await client.ReadAsync("realtime_event"))["id"]);

        await client.SendAsync("""{"message_type":"unsubscribe","payload":{"id":"k1"}}""");
        JsonObject ended = await client.ReadAsync("subscription_confirmed");
        Assert.Equal("unsubscribe", (string?)ended["payload"]!["action"]);
        await server.PublishAsync(11, 13);
        Assert.Equal(12, SocketClient.NumberOf(await client.ReadAsync("realtime_event")));

        // What was missed meanwhile comes with the token that the answer gave.
        string token = (string)ended["payload"]!["resume_token"]!;
        await client.SubscribeAsync($$"""{"id":"k1","topics":["alerts"],"keys":["k1"],"resume_token":"{{token}}"}""");
        Assert.Equal(11, SocketClient.NumberOf(await client.ReadAsync("realtime_event")));
    }

    [Fact]
    public async Task Unsubscribe_by_topics_or_without_a_name_ends_what_fits()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        using SocketClient client = await SocketClient.ConnectAsync(server.Socket());
        await client.SubscribeAsync("""{"id":"a","topics":["alerts"]}""");
        await client.SubscribeAsync("""{"id":"b","topics":["eta-predictions"]}""");
        await client.SendAsync("""{"message_type":"unsubscribe","payload":{"topics":["eta-predictions"]}}""");
        Assert.Equal("b", (string?)(await client.ReadAsync("subscription_confirmed"))["payload"]!["id"]);
        await client.SendAsync("""{"message_type":"unsubscribe"}""");
        Assert.Equal("a", (string?)(await client.ReadAsync("subscription_confirmed"))["payload"]!["id"]);
        await client.SendAsync("""{"message_type":"unsubscribe"}""");
        Assert.Equal("not_subscribed", (string?)(await client.ReadAsync("error"))["payload"]!["code"]);
    }

    [Theory]
    [InlineData("""{"topics":["alerts"],"from":"earliest","filter":{"comparison":{"field":"kind","operator":"=","value":"odd"}}}""", "1 3 5 7 9")]
    [InlineData("""{"topics":["alerts"],"from":"earliest","keys":["k4","k7"]}""", "4 7")]
    [InlineData("""{"topics":["alert*"],"from":"earliest","filter":{"not":{"membership":{"field":"key","values":["k1","k2","k3"]}}}}""", "")]
    [InlineData("""{"topic":"alerts","from":"last_per_key"}""", "0 1 2 3 4 5 6 7 8 9")]
    [InlineData("""{"topics":[">"],"from":"2020-01-01T00:00:00Z","key":"k5"}""", "5")]
    public async Task Start_keys_and_filter_choose_updates(string payload, string numbers)
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        await server.PublishAsync(0, 10);
        using SocketClient client = await SocketClient.ConnectAsync(server.Socket());
        await client.SendAsync($$"""{"message_type":"subscribe","payload":{{payload}}}""");
        JsonObject answer = (await client.TryReadAsync())!;
        if (numbers.Length == 0)
        {
            // A pattern that is none is refused, and the message names the field.
            Assert.Equal("error", (string?)answer["message_type"]);
            Assert.StartsWith("topics", (string)answer["payload"]!["field"]!);
            return;
        }

        Assert.Equal("subscription_confirmed", (string?)answer["message_type"]);
        int[] expected = [.. numbers.Split(' ').Select(int.Parse)];
        Assert.Equal(expected, (await client.ReadAlertsAsync(expected.Length)).Numbers);
    }

    [Theory]
    [InlineData("", "malformed", null)]
    [InlineData("{", "malformed", null)]
    [InlineData("[]", "malformed", "message_type")]
    [InlineData("null", "malformed", "message_type")]
    [InlineData("{}", "malformed", "message_type")]
    [InlineData("""{"message_type":7}""", "malformed", "message_type")]
    [InlineData("""{"message_type":"subscribe"} {}""", "malformed", null)]
    [InlineData("""{"message_type":"nonsense","payload":{}}""", "unknown_type", "message_type")]
    [InlineData("""{"message_type":"subscribe"}""", "invalid", "payload")]
    [InlineData("""{"message_type":"subscribe","payload":"alerts"}""", "invalid", "payload")]
    [InlineData("""{"message_type":"subscribe","payload":{}}""", "invalid", "topics")]
    [InlineData("""{"message_type":"subscribe","payload":{"topics":[1]}}""", "invalid", "topics")]
    [InlineData("""{"message_type":"subscribe","payload":{"topics":["a..b"]}}""", "invalid", "topics[0]")]
    [InlineData("""{"message_type":"subscribe","payload":{"topics":[">"],"from":"yesterday"}}""", "invalid", "from")]
    [InlineData(
        """{"message_type":"subscribe","payload":{"topics":[">"],"overflow":"never"}}""", "invalid", "overflow")]
    [InlineData("""{"message_type":"subscribe","payload":{"topics":[">"],"filter":[]}}""", "invalid", "filter")]
    [InlineData(
        """{"message_type":"subscribe","payload":{"topics":[">"],"filter":{"nonsense":1}}}""", "invalid", "filter")]
    [InlineData("""{"message_type":"subscribe","payload":{"topics":[">"],"filter":{"comparison":{"operator":"<","value":1}}}}""", "invalid", "filter.comparison.field")]
    [InlineData("""{"message_type":"subscribe","payload":{"topics":[">"],"resume_token":"!"}}""", "cannot_resume",
        "resume_token")]
    [InlineData("""{"message_type":"subscribe","payload":{"topics":[">"],"resume_token":"AAAA","from":"new"}}""",
        "invalid", "from")]
    [InlineData("""{"message_type":"unsubscribe","payload":{"id":"none"}}""", "not_subscribed", "id")]
    [InlineData("""{"message_type":"ack","payload":{"id":"none","resume_token":"x"}}""", "not_subscribed", "id")]
    [InlineData("""{"message_type":"ack","payload":{}}""", "invalid", "resume_token")]
    [InlineData("""{"message_type":"agent_request","payload":{"query":"?"}}""", "invalid", "task_type")]
    [InlineData(
        """{"message_type":"agent_request","payload":{"task_type":"eta","parameters":[]}}""", "invalid", "parameters")]
    [InlineData("""{"message_type":"agent_request","payload":{"task_type":"eta"}}""", "no_agents", null)]
    [InlineData("""{"message_type":"broadcast","payload":{}}""", "forbidden", null)]
    public async Task What_is_malformed_is_answered_and_the_connection_lives(string message, string code, string? field)
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        using SocketClient client = await SocketClient.ConnectAsync(server.Socket());

        await client.SendAsync(message);

        JsonNode error = (await client.ReadAsync("error"))["payload"]!;
        Assert.Equal(code, (string?)error["code"]);
        Assert.Equal(field, (string?)error["field"]);
        Assert.EndsWith(".", (string)error["message"]!);
        await client.PingAsync();
    }

    [Fact]
    public async Task Messages_that_are_too_large_or_binary_are_answered_and_the_connection_lives()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { WebSocket = new WebSocketOptions { MaxMessageBytes = 1000 } });
        using SocketClient client = await SocketClient.ConnectAsync(server.Socket());
        await client.SendAsync(new string('x', 20_000));
        Assert.Equal("too_large", (string?)(await client.ReadAsync("error"))["payload"]!["code"]);
        await client.SendAsync("{}", WebSocketMessageType.Binary);
        Assert.Equal("malformed", (string?)(await client.ReadAsync("error"))["payload"]!["code"]);
        await client.SendAsync($$"""{"message_type":"ping","payload":"{{new string('x', 900)}}"}""");
        Assert.Equal(900, ((string)(await client.ReadAsync("pong"))["payload"]!).Length);

        await client.SendAsync(new string('x', 100_000));
        Assert.Empty(await client.ReadToEndAsync());
        Assert.Equal(WebSocketCloseStatus.MessageTooBig, client.CloseStatus);
    }

    [Fact]
    public async Task Client_that_sends_too_fast_is_told_and_in_the_end_closed()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { WebSocket = new WebSocketOptions { MaxMessagesPerSecond = 2 } });
        using SocketClient client = await SocketClient.ConnectAsync(server.Socket());
        for (int i = 0; i < 200; i++)
        {
            await client.SendAsync("""{"message_type":"ping"}""");
        }

        List<JsonObject> answers = await client.ReadToEndAsync();

        Assert.Equal(WebSocketCloseStatus.PolicyViolation, client.CloseStatus);
        Assert.Contains(answers, answer => (string?)answer["message_type"] == "pong");
        Assert.Contains(answers, answer => (string?)answer["payload"]!["code"] == "too_fast");
    }

    [Fact]
    public async Task Subscriptions_and_ids_are_limited()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { WebSocket = new WebSocketOptions { MaxSubscriptions = 2 } });
        using SocketClient client = await SocketClient.ConnectAsync(server.Socket());
        await client.SubscribeAsync("""{"id":"a","topics":["alerts"]}""");
        await client.SendAsync("""{"message_type":"subscribe","payload":{"id":"a","topics":["alerts"]}}""");
        Assert.Equal("id", (string?)(await client.ReadAsync("error"))["payload"]!["field"]);
        await client.SubscribeAsync("""{"id":"b","topics":["alerts"]}""");
        await client.SendAsync("""{"message_type":"subscribe","payload":{"id":"c","topics":["alerts"]}}""");
        Assert.Equal("too_many_subscriptions", (string?)(await client.ReadAsync("error"))["payload"]!["code"]);
        await client.PingAsync();
    }

    [Fact]
    public async Task Path_of_the_settings_follows_its_topics_at_once()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(new RealtimeOptions
        {
            WebSocket =
                new WebSocketOptions { Paths = [new WebSocketPath { Path = "/ws/alerts", Topics = ["alerts"] }] },
        });
        await server.PublishAsync(0, 5);
        using SocketClient client = await SocketClient.ConnectAsync(
            server.Socket("/ws/alerts?from=earliest&keys=k2,k3"));
        await client.ReadAsync("subscription_confirmed");
        (List<int> numbers, string token) = await client.ReadAlertsAsync(1);
        Assert.Equal([2], numbers);
        client.Abort();

        using SocketClient next = await SocketClient.ConnectAsync(server.Socket($"/ws/alerts?resume_token={token}"));
        await next.ReadAsync("subscription_confirmed");
        Assert.Equal([3, 4], (await next.ReadAlertsAsync(2)).Numbers);
    }

    [Theory]
    [InlineData("?topics=alerts&resume_token=nonsense", WebSocketCloseCodes.CannotResume, "cannot_resume")]
    [InlineData("?topics=alerts&from=nonsense", WebSocketCloseCodes.PolicyViolation, "invalid")]
    [InlineData("?topics=a..b", WebSocketCloseCodes.PolicyViolation, "invalid")]
    public async Task Address_that_cannot_be_followed_is_closed_with_a_code_that_says_why(
        string query, int code, string word)
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        using SocketClient client = await SocketClient.ConnectAsync(server.Socket("/ws" + query));
        JsonObject error = Assert.Single(await client.ReadToEndAsync());
        Assert.Equal(word, (string?)error["payload"]!["code"]);
        Assert.Equal(code, (int)client.CloseStatus!);
    }

    [Fact]
    public async Task Broadcast_of_a_client_reaches_all_where_the_settings_let_it()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { WebSocket = new WebSocketOptions { ClientBroadcast = true } });
        using SocketClient sender = await SocketClient.ConnectAsync(server.Socket());
        using SocketClient other = await SocketClient.ConnectAsync(server.Socket());
        await other.PingAsync();
        await sender.SendAsync("""{"message_type":"broadcast","payload":{"hello":"all"}}""");
        foreach (SocketClient client in new[] { sender, other })
        {
            Assert.Equal("""{"hello":"all"}""", (await client.ReadAsync("broadcast"))["payload"]!.ToJsonString());
        }
    }

    [Fact]
    public async Task Server_that_stops_says_so_and_closes_after_a_while()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { DrainDelay = TimeSpan.FromMilliseconds(50) });
        using SocketClient client = await SocketClient.ConnectAsync(server.Socket());
        await client.SubscribeAsync("""{"topics":["alerts"]}""");

        Task<bool> drained = server.Drain.RunAsync(TimeSpan.FromSeconds(20));

        JsonObject told = await client.ReadAsync("broadcast");
        Assert.Equal("draining", (string?)told["payload"]!["event"]);
        Assert.Empty(await client.ReadToEndAsync());
        Assert.Equal(1001, (int)client.CloseStatus!);
        Assert.True(await drained);
        WebSocketException refused = await Assert.ThrowsAsync<WebSocketException>(
            () => SocketClient.ConnectAsync(server.Socket()));
        Assert.Contains("503", refused.Message);
    }

    [Fact]
    public async Task Client_that_goes_without_a_word_leaves_nothing_behind()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        for (int i = 0; i < 5; i++)
        {
            using SocketClient client = await SocketClient.ConnectAsync(server.Socket());
            await client.SubscribeAsync("""{"topics":["alerts"]}""");
            client.Abort();
        }

        await Wait.UntilAsync(() => server.Topics.Subscriptions.Count == 0, "no subscription is left");
        await Wait.UntilAsync(() => server.Drain.ActiveCalls == 0, "no connection is left");
    }
}
