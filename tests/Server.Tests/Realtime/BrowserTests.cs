using System.Text.Json;
using Ingest.Server.Realtime;
using Ingest.Server.Tests.Observability;
using Microsoft.Playwright;

namespace Ingest.Server.Tests.Realtime;

/// <summary>A page in Chromium: EventSource, WebSocket, and the token of one continued on the other.</summary>
[Collection(ObservedHost.OneAtATime)]
public sealed class BrowserTests(Browser browser) : IClassFixture<Browser>
{
    // What a page would write: follows until it had so many alerts, and says which and with which token to go on.
    private const string Functions = """
        window.stream = (address, count) => new Promise((resolve, reject) => {
          const source = new EventSource(address);
          const numbers = [];
          source.onmessage = (event) => {
            const message = JSON.parse(event.data);
            if (message.message_type !== 'realtime_event') return;
            numbers.push(Number(message.payload.alert.alert_id));
            if (numbers.length === count) {
              source.close();
              resolve({ numbers, token: event.lastEventId });
            }
          };
          source.onerror = () => {
            if (source.readyState === EventSource.CLOSED) reject(new Error('the stream was refused'));
          };
        });
        window.socket = (address, subscribe, count) => new Promise((resolve, reject) => {
          const socket = new WebSocket(address);
          const numbers = [];
          socket.onopen = () => {
            if (subscribe) socket.send(JSON.stringify({ message_type: 'subscribe', payload: subscribe }));
          };
          socket.onmessage = (event) => {
            const message = JSON.parse(event.data);
            if (message.message_type === 'error') reject(new Error(event.data));
            if (message.message_type !== 'realtime_event') return;
            numbers.push(Number(message.payload.alert.alert_id));
            if (numbers.length === count) {
              const extensions = socket.extensions;
              const token = message.resume_token;
              socket.onclose = (close) => resolve({ numbers, token, extensions, code: close.code });
              socket.close(1000);
            }
          };
          socket.onclose = (close) => reject(new Error('closed with ' + close.code));
        });
        """;

    private const string Query = "overflow=block";

    [SkippableFact]
    public async Task Page_follows_and_the_token_of_one_goes_on_on_the_other()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        IPage page = await OpenAsync(new Uri(server.Address, "/page").ToString());
        await using var source = new AlertSource(server);

        JsonElement first = await StreamAsync(page, $"/stream/topic/alerts?{Query}&from=earliest", 40);
        JsonElement second = await SocketAsync(
            page, server.Socket(), new { topics = "alerts", overflow = "block", resume_token = TokenOf(first) }, 40);
        JsonElement third = await StreamAsync(
            page, $"/stream/events?topics=alerts&{Query}&last_event_id={TokenOf(second)}", 40);
        JsonElement fourth = await SocketAsync(
            page, server.Socket($"/ws?topics=alerts&{Query}&resume_token={TokenOf(third)}"), null, 40);

        Assert.Equal(Enumerable.Range(0, 160), NumbersOf(first, second, third, fourth));
        Assert.StartsWith("permessage-deflate", second.GetProperty("extensions").GetString());
        Assert.Equal(1000, second.GetProperty("code").GetInt32());
        await page.CloseAsync();
    }

    [SkippableFact]
    public async Task EventSource_comes_back_by_itself_when_it_was_cut_off()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { Sse = new SseOptions { RetryDelay = TimeSpan.FromMilliseconds(20) } });
        IPage page = await OpenAsync(new Uri(server.Address, "/page").ToString());
        await using var source = new AlertSource(server);
        Task<JsonElement> reading = StreamAsync(page, $"/stream/topic/alerts?{Query}&from=earliest", 300);
        for (int cut = 0; cut < 3; cut++)
        {
            await Grpc.Wait.UntilAsync(
                () => server.Topics.Subscriptions.Count == 1 || reading.IsCompleted, "it is connected");
            Assert.False(cut == 0 && reading.IsCompleted, "it was never cut off");
            server.CutAll();
            await Grpc.Wait.UntilAsync(
                () => server.Topics.Subscriptions.Count == 0 || reading.IsCompleted, "it was cut off");
        }

        Assert.Equal(Enumerable.Range(0, 300), NumbersOf(await reading));
        await page.CloseAsync();
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Page_of_another_origin_connects_only_where_the_settings_let_it(bool allowed)
    {
        await using RealtimeServer host = await RealtimeServer.StartAsync();
        string origin = $"http://localhost:{host.Address.Port}";
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { AllowedOrigins = allowed ? [origin] : [] });
        IPage page = await OpenAsync(origin + "/page");
        await using var source = new AlertSource(server);

        Task<JsonElement> stream = StreamAsync(
            page, new Uri(server.Address, $"/stream/topic/alerts?{Query}&from=earliest").ToString(), 5);
        Task<JsonElement> socket = SocketAsync(
            page, server.Socket($"/ws?topics=alerts&{Query}&from=earliest"), null, 5);
        if (allowed)
        {
            Assert.Equal(Enumerable.Range(0, 5), NumbersOf(await stream));
            Assert.Equal(Enumerable.Range(0, 5), NumbersOf(await socket));
        }
        else
        {
            Assert.Contains("refused", (await Assert.ThrowsAsync<PlaywrightException>(() => stream)).Message);
            Assert.Contains("closed with 1006", (await Assert.ThrowsAsync<PlaywrightException>(() => socket)).Message);
        }

        await page.CloseAsync();
    }

    private async Task<IPage> OpenAsync(string address)
    {
        IPage page = await browser.OpenAsync(address);
        await page.EvaluateAsync($"() => {{ {Functions} }}");
        return page;
    }

    private static async Task<JsonElement> StreamAsync(IPage page, string address, int count) =>
        (await page.EvaluateAsync("([address, count]) => stream(address, count)", new object[] { address, count })
            .WaitAsync(TimeSpan.FromSeconds(60)))!.Value;

    private static async Task<JsonElement> SocketAsync(IPage page, Uri address, object? subscribe, int count) =>
        (await page.EvaluateAsync(
            "([address, subscribe, count]) => socket(address, subscribe, count)",
            new object?[] { address.ToString(), subscribe, count }).WaitAsync(TimeSpan.FromSeconds(60)))!.Value;

    private static string TokenOf(JsonElement result) => result.GetProperty("token").GetString()!;

    private static IEnumerable<int> NumbersOf(params JsonElement[] results) =>
        results.SelectMany(
            result => result.GetProperty("numbers").EnumerateArray().Select(number => number.GetInt32()));
}
