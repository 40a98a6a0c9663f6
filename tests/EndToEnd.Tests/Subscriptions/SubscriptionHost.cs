using System.Net;
using Ingest.Client;
using Ingest.Server.Grpc;
using Ingest.Server.Services;
using Ingest.Stores;
using Ingest.Topics;
using Ingest.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SubscribeOptions = Ingest.Server.Services.SubscribeOptions;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>
/// Log, topics, the subscription service and the transport in the test's own process, so that the test publishes what
/// it wants; without a store.
/// </summary>
internal sealed class SubscriptionHost : IAsyncDisposable
{
    /// <summary>A topic of updates without a table of their own.</summary>
    public const string Topic = "test.updates";

    private readonly IngestPipeline _pipeline;
    private readonly WebApplication _app;
    private readonly string _data;
    private readonly bool _ownsData;

    private SubscriptionHost(
        IngestPipeline pipeline, WebApplication app, SubscriptionSessions sessions, string data, bool ownsData)
    {
        (_pipeline, _app, Sessions, _data, _ownsData) = (pipeline, app, sessions, data, ownsData);
        Address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
    }

    public string Address { get; }

    public TopicHub Hub => _pipeline.Topics;

    public SubscriptionSessions Sessions { get; }

    public Drain Drain => _app.Services.GetRequiredService<Drain>();

    public static async Task<SubscriptionHost> StartAsync(
        SubscribeOptions? subscribe = null, TopicOptions? topics = null, string? data = null, int port = 0)
    {
        string directory = data ?? Directory.CreateTempSubdirectory("ingest-subscribe-").FullName;
        IngestPipeline pipeline = await IngestPipeline.OpenAsync(
            new PipelineOptions
            {
                Log = new() { DataDirectory = directory },
                Store = new StoreOptions { Kind = StoreOptions.NullKind },
                Topics = topics ?? new TopicOptions(),
            },
            NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        var grpc = new GrpcServerOptions { DrainGrace = TimeSpan.FromSeconds(5) };
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpcTransport(grpc);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenGrpc(new IPEndPoint(IPAddress.Loopback, port), grpc));
        WebApplication app = builder.Build();
        var sessions = new SubscriptionSessions(
            subscribe ?? new SubscribeOptions(), pipeline.Admission, TimeProvider.System,
            app.Services.GetRequiredService<Drain>().Started);
        new SubscriptionService(pipeline.Topics, sessions)
            .Bind(app.MapGrpcService(SubscriptionServiceReflection.Descriptor.Services[0]));
        await app.StartAsync();
        return new SubscriptionHost(pipeline, app, sessions, directory, ownsData: data is null);
    }

    /// <summary>A client of the host.</summary>
    public IngestClient NewClient() => new(new Uri(Address));

    /// <summary>Publishes updates whose payload has their number; the last one is durable when it returns.</summary>
    public async Task PublishAsync(int first, int count, string topic = Topic, string? key = null)
    {
        ValueTask<TopicUpdate> last = default;
        for (int number = first; number < first + count; number++)
        {
            last = Hub.PublishAsync(topic, key ?? $"key-{number % 7}", Numbers.Payload(number));
        }

        await last;
    }

    /// <summary>Stops as a server does that was told to.</summary>
    public async Task StopAsync()
    {
        await _app.StopAsync();
        await _pipeline.StopAsync(TimeSpan.Zero);
    }

    public async ValueTask DisposeAsync()
    {
        using var impatient = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app.StopAsync(impatient.Token);
        await _app.DisposeAsync();
        Sessions.Dispose();
        await _pipeline.DisposeAsync();
        if (_ownsData)
        {
            Directory.Delete(_data, recursive: true);
        }
    }
}
