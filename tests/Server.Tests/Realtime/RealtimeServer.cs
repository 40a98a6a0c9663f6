using System.Net;
using Google.Protobuf.WellKnownTypes;
using Ingest.Agents;
using Ingest.Log;
using Ingest.Server.Grpc;
using Ingest.Server.Observability;
using Ingest.Server.Realtime;
using Ingest.Server.Tests.Grpc;
using Ingest.Stores;
using Ingest.Topics;
using Ingest.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Server.Tests.Realtime;

/// <summary>
/// A server with a real log and topics, without a store, that serves WebSocket and SSE on a free port.
/// </summary>
internal sealed class RealtimeServer : IAsyncDisposable
{
    private readonly string _directory;
    private readonly IngestPipeline _pipeline;
    private readonly CapturedLog _log;
    private readonly RealtimeServices _services;

    private RealtimeServer(
        WebApplication app, RealtimeServices services, IngestPipeline pipeline, string directory, CapturedLog log)
    {
        (App, _services, _pipeline, _directory, _log) = (app, services, pipeline, directory, log);
        Address = new Uri(app.Urls.Single());
        Http = new HttpClient { BaseAddress = Address };
    }

    public WebApplication App { get; }

    public Uri Address { get; }

    public HttpClient Http { get; }

    public TopicHub Topics => _pipeline.Topics;

    public static async Task<RealtimeServer> StartAsync(
        RealtimeOptions? options = null, TopicOptions? topics = null,
        Func<AgentRequest, CancellationToken, Task<AgentAnswer>>? askAgent = null)
    {
        string directory = Directory.CreateTempSubdirectory("ingest-realtime-").FullName;
        IngestPipeline pipeline = await IngestPipeline.OpenAsync(
            new PipelineOptions
            {
                Log = new LogOptions { DataDirectory = directory },
                Store = new StoreOptions { Kind = StoreOptions.NullKind },
                Topics = topics ?? new TopicOptions(),
            },
            NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.AddIngestObservability();
        var log = new CapturedLog();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.Services.AddGrpcTransport(new GrpcServerOptions { DrainGrace = TimeSpan.FromSeconds(5) });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinResponseDataRate = null; // As in the server, where it is off for all ports.
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        WebApplication app = builder.Build();
        RealtimeServices services = app.MapRealtime(options ?? new RealtimeOptions(), pipeline.Topics, askAgent);
        app.MapIngestObservability();

        // For browsers: Chromium lets no page that a test makes up speak to a server of loopback.
        app.MapGet("/page", () => Results.Content("<!doctype html><title>Alerts</title>", "text/html"));
        await app.StartAsync();
        return new RealtimeServer(app, services, pipeline, directory, log);
    }

    /// <summary>Publishes an alert; its id is the number, its key <c>k</c> and the number modulo 10.</summary>
    public Task<TopicUpdate> PublishAsync(int number, string topic = "alerts", string message = "") =>
        Topics.PublishAsync(
        topic, $"k{number % 10}",
        new Alert
        {
            AlertId = $"{number}",
            Kind = number % 2 == 0 ? "even" : "odd",
            Severity = number % 2 == 0 ? Severity.Warning : Severity.Critical,
            Message = message,
            Timestamp = Timestamp.FromDateTimeOffset(DateTimeOffset.UnixEpoch.AddSeconds(number)),
        }).AsTask();

    /// <summary>Publishes alerts with the numbers from one to another, in order.</summary>
    public async Task PublishAsync(int from, int to, string message = "")
    {
        foreach (int[] group in Enumerable.Range(from, to - from).Chunk(50))
        {
            await Task.WhenAll(group.Select(number => PublishAsync(number, message: message)));
        }
    }

    /// <summary>The address of a socket.</summary>
    public Uri Socket(string path = "/ws") => new UriBuilder(new Uri(Address, path)) { Scheme = "ws" }.Uri;

    /// <summary>Cuts off all connections, as a network does.</summary>
    public void CutAll()
    {
        foreach (RealtimeConnection connection in _services.Connections.All)
        {
            connection.Abort();
        }
    }

    public Drain Drain => App.Services.GetRequiredService<Drain>();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        using var impatient = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await App.StopAsync(impatient.Token);
        await App.DisposeAsync();
        await _pipeline.DisposeAsync();
        Directory.Delete(_directory, recursive: true);

        // What no test asks for never happens: an exception that nobody caught.
        Assert.DoesNotContain(_log.Entries, entry => entry.Level >= LogLevel.Error);
    }
}
