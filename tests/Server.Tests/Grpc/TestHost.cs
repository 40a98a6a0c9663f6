using System.Collections.Concurrent;
using System.Net;
using Grpc.Testing;
using Ingest.Server.Grpc;
using Ingest.Testing.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ingest.Server.Tests.Grpc;

/// <summary>The transport with the tests' services on two free ports of loopback.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestHost(WebApplication app, ProbeService probe, CapturedLog log, ConcurrentQueue<WeakReference> requests)
    {
        _app = app;
        Probe = probe;
        Log = log;
        Requests = requests;
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        GrpcAddress = new Uri(addresses.First());
        WebAddress = new Uri(addresses.Last());
        Client = new HttpClient(new SocketsHttpHandler { EnableMultipleHttp2Connections = false })
        {
            BaseAddress = GrpcAddress,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    public Uri GrpcAddress { get; }

    public Uri WebAddress { get; }

    /// <summary>Speaks HTTP/2 in clear to the gRPC port.</summary>
    public HttpClient Client { get; }

    public ProbeService Probe { get; }

    public CapturedLog Log { get; }

    /// <summary>The transport's object of each request there was.</summary>
    public IReadOnlyCollection<WeakReference> Requests { get; }

    public Drain Drain => _app.Services.GetRequiredService<Drain>();

    public HealthStatus Health => _app.Services.GetRequiredService<HealthStatus>();

    public static async Task<TestHost> StartAsync(GrpcServerOptions? options = null)
    {
        options ??= new GrpcServerOptions();
        var builder = WebApplication.CreateSlimBuilder();
        var log = new CapturedLog();
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Debug);
        builder.Services.AddGrpcTransport(options);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenGrpc(new IPEndPoint(IPAddress.Loopback, 0), options);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.WebHost.UseKestrelHttpsConfiguration();
        var app = builder.Build();
        ConcurrentQueue<WeakReference> requests = [];
        app.Use((http, next) =>
        {
            requests.Enqueue(new WeakReference(http.Features.Get<IHttpRequestFeature>()));
            return next(http);
        });

        InteropService.Bind(app.MapGrpcService(TestReflection.Descriptor.Services[0]));
        var probe = new ProbeService();
        probe.Bind(app.MapGrpcService(ProbeServiceReflection.Descriptor.Services[0]));
        app.MapGrpcHealth();
        app.MapGrpcReflection();
        await app.StartAsync();
        return new TestHost(app, probe, log, requests);
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        using var impatient = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app.StopAsync(impatient.Token);
        await _app.DisposeAsync();
    }
}
