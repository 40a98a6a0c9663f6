using System.Net;
using System.Text.Json.Nodes;
using Ingest.Server.Realtime;
using Ingest.Server.Tests.Grpc;
using Ingest.Server.Tests.Observability;

namespace Ingest.Server.Tests.Realtime;

[Collection(ObservedHost.OneAtATime)]
public sealed class SseTests
{
    private const string Everything = "/stream/events";
    private const string Alerts = "/stream/topic/alerts";

    [Fact]
    public async Task Stream_says_where_it_starts_and_gives_unnamed_events_with_tokens()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        await server.PublishAsync(0, 3);
        using EventStream stream = await EventStream.OpenAsync(server.Http, Alerts + "?from=earliest");

        Assert.Equal("text/event-stream", stream.Response.Content.Headers.ContentType!.ToString());
        Assert.True(stream.Response.Headers.CacheControl!.NoStore);
        JsonNode start = Assert.Single(
            JsonNode.Parse(stream.Response.Headers.GetValues("Ingest-Start").Single())!.AsArray())!;
        Assert.Equal("alerts", (string?)start["topic"]);
        Assert.Equal(0, (long)start["offset"]!);
        JsonObject confirmed = await stream.ReadAsync("subscription_confirmed");
        Assert.Equal("2000", stream.Retry);
        Assert.Equal((string?)confirmed["payload"]!["resume_token"], stream.LastId);
        Assert.Equal(start.ToJsonString(), confirmed["payload"]!["positions"]![0]!.ToJsonString());
        string first = stream.LastId;
        Assert.Equal([0, 1, 2], await stream.ReadAlertsAsync(3));
        Assert.NotEqual(first, stream.LastId);
        JsonObject live = await PublishAndReadAsync(server, stream, 3);
        Assert.Equal("3", (string?)live["payload"]!["offset"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Last_event_id_goes_on_with_nothing_missed_and_nothing_twice(bool asParameter)
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        await server.PublishAsync(0, 50);
        EventStream first = await EventStream.OpenAsync(server.Http, Everything + "?from=earliest");
        await first.ReadAsync("subscription_confirmed");
        List<int> before = await first.ReadAlertsAsync(20);
        first.Dispose();
        await server.PublishAsync(50, 60);

        using EventStream next = await (asParameter
            ? EventStream.OpenAsync(server.Http, $"{Everything}?last_event_id={first.LastId}")
            : EventStream.OpenAsync(
                server.Http, $"{Everything}?from=earliest&last_event_id=nonsense", ("Last-Event-ID", first.LastId)));

        JsonObject confirmed = await next.ReadAsync("subscription_confirmed");
        JsonNode place = confirmed["payload"]!["positions"]!.AsArray().Single(p => (string?)p!["topic"] == "alerts")!;
        Assert.True((bool)place["recovered"]!);
        Assert.Equal(Enumerable.Range(0, 60), before.Concat(await next.ReadAlertsAsync(40)));
    }

    [Fact]
    public async Task Client_that_is_cut_off_before_the_first_update_misses_nothing()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        EventStream first = await EventStream.OpenAsync(server.Http, Alerts);
        await first.ReadAsync("subscription_confirmed");
        first.Dispose();
        await server.PublishAsync(0);
        using EventStream next = await EventStream.OpenAsync(server.Http, Alerts, ("Last-Event-ID", first.LastId));
        await next.ReadAsync("subscription_confirmed");
        Assert.Equal([0], await next.ReadAlertsAsync(1));
    }

    [Theory]
    [InlineData("from=earliest&keys=k2,k3", "2 3")]
    [InlineData("from=earliest&keys=k2&keys=k9&overflow=block", "2 9")]
    [InlineData("from=last_per_key&topics=alerts", "0 1 2 3 4 5 6 7 8 9")]
    [InlineData("from=earliest&filter=%7B%22comparison%22%3A%7B%22field%22%3A%22severity%22%2C%22operator%22%3A%22%3D%22%2C%22value%22%3A%22WARNING%22%7D%7D", "0 2 4 6 8")]
    public async Task Parameters_choose_updates(string query, string numbers)
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        await server.PublishAsync(0, 10);
        using EventStream stream = await EventStream.OpenAsync(server.Http, $"{Everything}?{query}");
        await stream.ReadAsync("subscription_confirmed");
        int[] expected = [.. numbers.Split(' ').Select(int.Parse)];
        Assert.Equal(expected, await stream.ReadAlertsAsync(expected.Length));
    }

    [Theory]
    [InlineData(Alerts + "?from=nonsense", "from: ")]
    [InlineData(Alerts + "?overflow=nonsense", "overflow: ")]
    [InlineData(Alerts + "?filter=nonsense", "filter: ")]
    [InlineData(Alerts + "?last_event_id=nonsense", "resume_token: ")]
    [InlineData("/stream/topic/a..b", "topics")]
    [InlineData(Everything + "?topics=", "topics: ")]
    public async Task What_cannot_be_is_400_and_says_which_parameter(string address, string words)
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        using EventStream stream = await EventStream.OpenAsync(server.Http, address);
        Assert.Equal(HttpStatusCode.BadRequest, stream.Response.StatusCode);
        Assert.StartsWith(words, await stream.ReadTextAsync());
        await Wait.UntilAsync(() => server.Drain.ActiveCalls == 0, "it is no connection any more");
    }

    [Fact]
    public async Task Silence_is_broken_by_comments()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { Sse = new SseOptions { HeartbeatPeriod = TimeSpan.FromMilliseconds(100) } });
        using EventStream stream = await EventStream.OpenAsync(server.Http, Alerts);
        await stream.ReadAsync("subscription_confirmed");
        await stream.ReadCommentAsync();
        Assert.Equal("heartbeat", stream.Comments[0]);
    }

    [Fact]
    public async Task Heartbeat_tells_the_token_that_a_filter_moved_on()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { Sse = new SseOptions { HeartbeatPeriod = TimeSpan.FromMilliseconds(100) } });
        EventStream stream = await EventStream.OpenAsync(server.Http, Alerts + "?keys=none");
        await stream.ReadAsync("subscription_confirmed");
        string before = stream.LastId;
        await server.PublishAsync(0, 10);
        Task reading = stream.TryReadAsync();
        await Wait.UntilAsync(() => stream.LastId != before, "the token moves on");
        string after = stream.LastId;
        stream.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => reading);

        using EventStream next = await EventStream.OpenAsync(server.Http, Alerts, ("Last-Event-ID", after));
        JsonObject confirmed = await next.ReadAsync("subscription_confirmed");
        Assert.Equal(10, (long)confirmed["payload"]!["positions"]![0]!["offset"]!);
    }

    [Fact]
    public async Task Server_that_stops_says_so_and_ends_the_stream()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { DrainDelay = TimeSpan.FromMilliseconds(50) });
        using EventStream stream = await EventStream.OpenAsync(server.Http, Alerts);
        await stream.ReadAsync("subscription_confirmed");

        Task<bool> drained = server.Drain.RunAsync(TimeSpan.FromSeconds(20));

        JsonObject told = await stream.ReadAsync("broadcast");
        Assert.Equal("draining", (string?)told["payload"]!["event"]);
        Assert.Null(await stream.TryReadAsync());
        Assert.InRange(int.Parse(stream.Retry, null), 1000, 3000);
        Assert.True(await drained);
        using EventStream late = await EventStream.OpenAsync(server.Http, Alerts);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, late.Response.StatusCode);
        Assert.Equal("1", late.Response.Headers.GetValues("Retry-After").Single());
    }

    [Fact]
    public async Task Connections_are_limited()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(new RealtimeOptions { MaxConnections = 1 });
        EventStream first = await EventStream.OpenAsync(server.Http, Alerts);
        using EventStream second = await EventStream.OpenAsync(server.Http, Alerts);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, second.Response.StatusCode);
        first.Dispose();
        await Wait.UntilAsync(() => server.Drain.ActiveCalls == 0, "the first has ended");
        using EventStream third = await EventStream.OpenAsync(server.Http, Alerts);
        Assert.Equal(HttpStatusCode.OK, third.Response.StatusCode);
    }

    private static async Task<JsonObject> PublishAndReadAsync(RealtimeServer server, EventStream stream, int number)
    {
        await server.PublishAsync(number);
        return await stream.ReadAsync("realtime_event");
    }
}
