using System.Diagnostics;
using System.Net;
using System.Text;
using Ingest.Server.Http;
using Ingest.Stores;
using Ingest.Tests.Stores;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Ingest.Server.Tests.Http;

[Collection(EngineCollection.Name)]
public sealed class SqlEndpointTests(EngineFixture engine) : IAsyncLifetime, IDisposable
{
    private readonly HttpClient _client = new();
    private WebApplication? _server;

    public Task InitializeAsync() => Task.CompletedTask;

    public void Dispose() => _client.Dispose();

    public async Task DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    [SkippableFact]
    public async Task A_query_is_answered_with_the_type_of_its_format()
    {
        await StartAsync(engine.Store);
        using HttpResponseMessage plain = await PostAsync("SELECT 1 AS x, 'a'");
        Assert.Equal("1\ta\n", await plain.Content.ReadAsStringAsync());
        Assert.Equal("text/tab-separated-values", plain.Content.Headers.ContentType!.MediaType);
        Assert.Equal("TabSeparated", plain.Headers.GetValues(SqlEndpoint.FormatHeader).Single());

        using HttpResponseMessage json = await PostAsync("SELECT 1 AS x FORMAT JSONEachRow;");
        Assert.Equal("{\"x\":1}\n", await json.Content.ReadAsStringAsync());
        Assert.Equal("application/x-ndjson", json.Content.Headers.ContentType!.MediaType);
    }

    [SkippableFact]
    public async Task The_query_may_stand_in_the_address_and_the_format_beside_it()
    {
        await StartAsync(engine.Store);
        using HttpResponseMessage answer = await _client.PostAsync(
            new Uri("/sql?default_format=CSV&query=" + Uri.EscapeDataString("SELECT 'é', 2"), UriKind.Relative), null);
        Assert.Equal("\"é\",2\n", await answer.Content.ReadAsStringAsync());
        using HttpResponseMessage both = await _client.PostAsync(
            new Uri("/sql?query=SELECT%201", UriKind.Relative), new StringContent("SELECT 2"));
        Assert.Equal(HttpStatusCode.BadRequest, both.StatusCode);
    }

    [SkippableTheory]
    [InlineData("SELEC 1", HttpStatusCode.BadRequest, "Code: 62. DB::Exception: Syntax error")]
    [InlineData("", HttpStatusCode.BadRequest, "Empty query")]
    [InlineData("SELECT * FROM nosuch", HttpStatusCode.BadRequest, "UNKNOWN_TABLE")]
    [InlineData("CREATE TABLE x (a Int8) ENGINE = Memory", HttpStatusCode.Forbidden, "READONLY")]
    [InlineData("SELECT file('/etc/hostname')", HttpStatusCode.Forbidden, "Only reading is allowed")]
    [InlineData("SET readonly = 0", HttpStatusCode.Forbidden, "Only reading is allowed")]
    public async Task A_refusal_says_why(string query, HttpStatusCode status, string words)
    {
        await StartAsync(engine.Store);
        using HttpResponseMessage answer = await PostAsync(query);
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("text/plain", answer.Content.Headers.ContentType!.MediaType);
        Assert.Contains(words, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_query_that_is_too_long_or_no_text_is_refused()
    {
        await StartAsync(engine.Store);
        using HttpResponseMessage large = await PostAsync("SELECT '" + new string('x', SqlEndpoint.MaxQueryBytes) + "'");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        using HttpResponseMessage binary = await _client.PostAsync(
            new Uri("/sql", UriKind.Relative), new ByteArrayContent([0xFF, 0xFE, 0x00]));
        Assert.Equal(HttpStatusCode.BadRequest, binary.StatusCode);
        using HttpResponseMessage format = await _client.PostAsync(
            new Uri("/sql?default_format=a%27b", UriKind.Relative), new StringContent("SELECT 1"));
        Assert.Equal(HttpStatusCode.BadRequest, format.StatusCode);
    }

    [Fact]
    public async Task A_store_that_is_away_is_503()
    {
        await StartAsync(new AwayStore());
        using HttpResponseMessage answer = await PostAsync("SELECT 1");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("1", answer.Headers.GetValues("Retry-After").Single());
    }

    [SkippableFact]
    public async Task An_answer_that_breaks_off_is_seen_by_the_client()
    {
        await StartAsync(engine.Store);
        using HttpResponseMessage answer = await _client.SendAsync(
            new HttpRequestMessage(HttpMethod.Post, "/sql")
            {
                Content = new StringContent("SELECT number, throwIf(number = 3000000) FROM numbers(10000000)"),
            },
            HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => answer.Content.ReadAsByteArrayAsync());
    }

    [SkippableFact]
    public async Task A_client_that_leaves_ends_its_query()
    {
        await StartAsync(engine.Store);
        const string Query = "SELECT sum(sipHash64(number)) FROM numbers(1000000000001)";
        using var left = new CancellationTokenSource();
        Task<HttpResponseMessage> running = _client.PostAsync(
            new Uri("/sql", UriKind.Relative), new StringContent(Query), left.Token);
        await WaitForAsync(() => RunningAsync(Query), "1\n");
        await left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await WaitForAsync(() => RunningAsync(Query), "0\n");
    }

    [SkippableFact]
    public async Task A_client_that_does_not_read_slows_the_engine()
    {
        await StartAsync(engine.Store);
        const string Query = "SELECT number FROM numbers(3000000000)";
        using HttpResponseMessage answer = await _client.SendAsync(
            new HttpRequestMessage(HttpMethod.Post, "/sql") { Content = new StringContent(Query) },
            HttpCompletionOption.ResponseHeadersRead);
        await using Stream body = await answer.Content.ReadAsStreamAsync();
        byte[] first = new byte[10];
        await body.ReadExactlyAsync(first);

        // 26 GB would come; what the engine has read stands still when the sockets' buffers are full.
        string before;
        string now = "";
        do
        {
            before = now;
            await Task.Delay(90);
            now = await TextAsync($"SELECT read_rows FROM system.processes WHERE query = formatQuery('{Query}')");
        }
        while (now != before);
        Assert.InRange(long.Parse(now, null), 1, 200_000_000);
    }

    [SkippableFact]
    public async Task Clients_that_do_not_read_hold_up_the_others_for_a_while_only()
    {
        await StartAsync(engine.Store, new QueryLimits { UnreadTimeout = TimeSpan.FromMilliseconds(500) });
        const string Query = "SELECT number FROM numbers(3000000001)";
        var unread = new List<HttpResponseMessage>();
        for (int i = 0; i < new StoreOptions().MaxConcurrentQueries; i++)
        {
            unread.Add(await _client.SendAsync(
                new HttpRequestMessage(HttpMethod.Post, "/sql") { Content = new StringContent(Query) },
                HttpCompletionOption.ResponseHeadersRead));
        }

        Assert.Equal("1\n", await TextAsync("SELECT 1").WaitAsync(TimeSpan.FromSeconds(30)));
        await WaitForAsync(() => RunningAsync(Query), "0\n");
        Assert.All(unread, answer => answer.Dispose());
    }

    private Task<string> RunningAsync(string query) =>
        TextAsync($"SELECT count() FROM system.processes WHERE query = formatQuery('{query}')");

    private async Task<string> TextAsync(string query)
    {
        using HttpResponseMessage answer = await PostAsync(query);
        return await answer.Content.ReadAsStringAsync();
    }

    private static async Task WaitForAsync(Func<Task<string>> read, string expected)
    {
        long start = Stopwatch.GetTimestamp();
        while (await read() != expected)
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60), "it never came");
            await Task.Delay(10);
        }
    }

    private Task<HttpResponseMessage> PostAsync(string query) =>
        _client.PostAsync(new Uri("/sql", UriKind.Relative), new StringContent(query, Encoding.UTF8));

    private async Task StartAsync(IStore store, QueryLimits? limits = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");

        // As in the server, where it is off for all ports.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MinResponseDataRate = null);
        _server = builder.Build();
        _server.MapSql(store, limits ?? new QueryLimits());
        await _server.StartAsync();
        _client.BaseAddress = new Uri(_server.Urls.Single());
    }
}
