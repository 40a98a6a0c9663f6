using System.Net;
using System.Net.WebSockets;
using Ingest.Server.Realtime;
using Ingest.Server.Tests.Observability;

namespace Ingest.Server.Tests.Realtime;

/// <summary>Which pages may connect, over either transport.</summary>
[Collection(ObservedHost.OneAtATime)]
public sealed class OriginTests
{
    private const string Stream = "/stream/topic/alerts";
    private const string Friend = "https://maps.example.com";

    [Theory]
    [InlineData(null, null, true)]
    [InlineData(null, "own", true)]
    [InlineData(null, Friend, false)]
    [InlineData(null, "null", false)]
    [InlineData(Friend, Friend, true)]
    [InlineData(Friend, "https://maps.example.com.evil.example", false)]
    [InlineData("*", "https://anybody.example", true)]
    public async Task Page_connects_when_its_origin_may(string? allowed, string? origin, bool connects)
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { AllowedOrigins = allowed is null ? [] : [allowed] });
        string? sent = origin == "own" ? server.Address.GetLeftPart(UriPartial.Authority) : origin;

        using EventStream stream = await EventStream.OpenAsync(
            server.Http, Stream, sent is null ? [] : [("Origin", sent)]);
        Assert.Equal(connects ? HttpStatusCode.OK : HttpStatusCode.Forbidden, stream.Response.StatusCode);
        Task<SocketClient> socket = SocketClient.ConnectAsync(
            server.Socket(), options => options.SetRequestHeader("Origin", sent));
        if (connects)
        {
            using SocketClient client = await socket;
            await client.PingAsync();
        }
        else
        {
            Assert.Contains("403", (await Assert.ThrowsAsync<WebSocketException>(() => socket)).Message);
        }
    }

    [Fact]
    public async Task Page_of_an_allowed_origin_may_read_the_answer_and_where_it_starts()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { AllowedOrigins = [Friend] });
        using EventStream stream = await EventStream.OpenAsync(server.Http, Stream, ("Origin", Friend));
        Assert.Equal(Friend, stream.Response.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Contains("Ingest-Start", stream.Response.Headers.GetValues("Access-Control-Expose-Headers").Single());
        using EventStream status = await EventStream.OpenAsync(
            server.Http, "/realtime/status", ("Origin", "https://evil.example"));
        Assert.False(status.Response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Browser_that_asks_before_is_answered()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { AllowedOrigins = [Friend] });
        using var request = new HttpRequestMessage(HttpMethod.Options, Stream);
        request.Headers.Add("Origin", Friend);
        request.Headers.Add("Access-Control-Request-Method", "GET");
        request.Headers.Add("Access-Control-Request-Headers", "last-event-id");
        using HttpResponseMessage answer = await server.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(Friend, answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Contains("last-event-id", answer.Headers.GetValues("Access-Control-Allow-Headers").Single());
    }
}
