using System.Net;
using System.Text.Json.Nodes;
using Ingest.Server.Grpc;
using Ingest.Server.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Ingest.Server.Tests.Observability;

[Collection(ObservedHost.OneAtATime)]
public sealed class HealthTests
{
    [Fact]
    public async Task Healthy_server_says_who_it_is()
    {
        await using var host = await ObservedHost.StartAsync();
        host.Health.AddDetail("store", () => "embedded");
        var (status, body) = await GetAsync(host, "/health");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(["status", "service", "version", "uptime_seconds", "store"], body.Select(field => field.Key));
        Assert.Equal("ok", (string?)body["status"]);
        Assert.Equal("ingest", (string?)body["service"]);
        Assert.Equal("embedded", (string?)body["store"]);
        Assert.Matches(@"^\d+\.\d+\.\d+$", (string?)body["version"]);
        Assert.InRange((double)body["uptime_seconds"]!, 0, 60);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(host, "/health/live")).Status);
        Assert.Equal((HttpStatusCode.OK, "ok"), Brief(await GetAsync(host, "/health/ready")));
    }

    [Theory]
    [InlineData(true, HttpStatusCode.ServiceUnavailable, "unavailable")]
    [InlineData(false, HttpStatusCode.OK, "degraded")]
    public async Task Part_that_is_not_well_is_named(bool required, HttpStatusCode ready, string status)
    {
        await using var host = await ObservedHost.StartAsync();
        host.Health.Add(new HealthCheck("well", true, _ => ValueTask.FromResult<string?>(null)));
        host.Health.Add(new HealthCheck("disk", required, _ => ValueTask.FromResult<string?>("The disk is full.")));

        var answer = await GetAsync(host, "/health/ready");
        Assert.Equal((ready, status), Brief(answer));
        Assert.Equal("""{"disk":"The disk is full."}""", answer.Body["faults"]!.ToJsonString());
        Assert.Equal((HttpStatusCode.OK, status), Brief(await GetAsync(host, "/health")));
        Assert.Equal((HttpStatusCode.OK, "ok"), Brief(await GetAsync(host, "/health/live")));
    }

    [Fact]
    public async Task Part_that_throws_or_hangs_is_faulty_and_the_others_are_still_asked()
    {
        await using var host = await ObservedHost.StartAsync();
        using var never = new ManualResetEventSlim();
        host.Health.Add(new HealthCheck("blocks", false, _ =>
        {
            never.Wait(CancellationToken.None);
            return ValueTask.FromResult<string?>(null);
        }));
        host.Health.Add(new HealthCheck("throws", true, _ => throw new IOException("No route.")));

        var answer = await GetAsync(host, "/health/ready");
        never.Set();

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable"), Brief(answer));
        Assert.Equal(
            """{"blocks":"No answer within 2 s.","throws":"No route."}""", answer.Body["faults"]!.ToJsonString());
    }

    [Fact]
    public async Task Many_probes_ask_a_part_once_a_second()
    {
        await using var host = await ObservedHost.StartAsync();
        var asked = 0;
        var watch = System.Diagnostics.Stopwatch.StartNew();
        host.Health.Add(new HealthCheck("store", false, _ =>
        {
            Interlocked.Increment(ref asked);
            return ValueTask.FromResult<string?>(null);
        }));

        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => GetAsync(host, "/health/ready")));

        Assert.InRange(asked, 1, 1 + (int)watch.Elapsed.TotalSeconds);
    }

    [Fact]
    public async Task Server_that_drains_is_not_ready_but_lives()
    {
        await using var host = await ObservedHost.StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(host, "/health/ready")).Status);

        await host.App.Services.GetRequiredService<Drain>().RunAsync(TimeSpan.Zero);

        var answer = await GetAsync(host, "/health/ready");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable"), Brief(answer));
        Assert.Contains("stopping", (string?)answer.Body["faults"]!["server"]);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(host, "/health/live")).Status);
    }

    private static (HttpStatusCode Status, string? Text) Brief((HttpStatusCode Status, JsonObject Body) answer) =>
        (answer.Status, (string?)answer.Body["status"]);

    private static async Task<(HttpStatusCode Status, JsonObject Body)> GetAsync(ObservedHost host, string path)
    {
        using var response = await host.Http.GetAsync(path);
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject());
    }
}
