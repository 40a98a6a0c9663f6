using System.Net;
using Ingest.Log;
using Ingest.Server.Grpc;
using Ingest.Server.Http;
using Ingest.Server.Observability;
using Ingest.Server.Tests.Grpc;
using Ingest.Testing.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ingest.Server.Tests.Observability;

/// <summary>Observability and the transport with a service of the tests, on two free ports of loopback.</summary>
internal sealed class ObservedHost : IAsyncDisposable
{
    /// <summary>
    /// Collection of the tests that start one: meters are known by name in the whole process, so two hosts at once
    /// would see each other's.
    /// </summary>
    public const string OneAtATime = "observed host";

    private ObservedHost(WebApplication app, CapturedLog log)
    {
        App = app;
        Log = log;
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Grpc = new HttpClient { BaseAddress = new Uri(addresses.First()) };
        Http = new HttpClient { BaseAddress = new Uri(addresses.Last()) };
    }

    public WebApplication App { get; }

    public CapturedLog Log { get; }

    /// <summary>Speaks to the gRPC port.</summary>
    public HttpClient Grpc { get; }

    /// <summary>Speaks to the HTTP port.</summary>
    public HttpClient Http { get; }

    public Health Health => App.Services.GetRequiredService<Health>();

    public static async Task<ObservedHost> StartAsync(params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(
            settings.ToDictionary(s => s.Key, s => (string?)s.Value));
        builder.AddIngestObservability();
        var log = new CapturedLog();
        builder.Logging.ClearProviders().AddProvider(log);
        var options = new GrpcServerOptions();
        builder.Services.AddGrpcTransport(options);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenGrpc(new IPEndPoint(IPAddress.Loopback, 0), options);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var app = builder.Build();
        new ProbeService().Bind(app.MapGrpcService(ProbeServiceReflection.Descriptor.Services[0]));
        app.MapIngestObservability();
        await app.StartAsync();
        return new ObservedHost(app, log);
    }

    public void Watch(LogMetrics log) => App.Services.GetRequiredService<Server.Observability.Metrics>().Watch(log);

    /// <summary>A scrape; of a method's series the others are left out.</summary>
    public async Task<string[]> ScrapeAsync(string contains) =>
        [.. (await Http.GetStringAsync("/metrics")).Split('\n')
            .Where(line => line.Contains(contains, StringComparison.Ordinal))
            .Select(line => line.Replace("otel_scope_name=\"Ingest.Server\",", "", StringComparison.Ordinal))];

    /// <summary>
    /// Scrapes until a series is there: a request is counted when its answer has already been read. Each time over a
    /// connection of its own, since Kestrel counts one that began before anybody listened not at all.
    /// </summary>
    public async Task WaitForAsync(string series)
    {
        using var patience = new CancellationTokenSource(Wait.Limit);
        while (true)
        {
            using var client = new HttpClient { BaseAddress = Http.BaseAddress };
            if ((await client.GetStringAsync("/metrics", patience.Token)).Contains("\n" + series, StringComparison.Ordinal))
            {
                return;
            }

            await Task.Delay(10, patience.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Grpc.Dispose();
        Http.Dispose();
        using var impatient = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await App.StopAsync(impatient.Token);
        await App.DisposeAsync();
    }
}
