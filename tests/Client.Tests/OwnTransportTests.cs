using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ingest.Client.Tests;

/// <summary>The client against the server's own transport.</summary>
public sealed class OwnTransportTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ingest-client");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_million_points_arrive_in_whole_batches()
    {
        await using var server = await StartAsync(new GrpcServerOptions());
        using var client = new IngestClient(AddressOf(server));
        await using var stream = client.OpenGpsPoints();
        var point = Rows.Point(1);
        for (var i = 0; i < 1_000_000; i++)
        {
            await stream.WriteAsync(point);
        }
        Assert.Equal(1_000_000, (await stream.CompleteAsync().WaitAsync(Patience)).AcceptedCount);
    }

    [Fact]
    public async Task A_service_that_refuses_tells_code_trailers_and_retry()
    {
        await using var server = await StartAsync(new GrpcServerOptions());
        using var client = new IngestClient(AddressOf(server));
        await using var stream = client.OpenEvents();
        await stream.WriteAsync(new Event());
        var exception = await Assert.ThrowsAsync<RpcException>(() => stream.CompleteAsync().WaitAsync(Patience));
        Assert.Equal((StatusCode.Unavailable, "no room"), (exception.StatusCode, exception.Detail));
        Assert.Equal(7, exception.GetAcceptedCount());
        Assert.Equal(TimeSpan.FromSeconds(2), exception.GetRetryDelay());
        Assert.True(await client.IsServingAsync(Patience));

        await using var metrics = client.OpenMetrics();
        var missing = await Assert.ThrowsAsync<RpcException>(() => metrics.CompleteAsync().WaitAsync(Patience));
        Assert.Equal(StatusCode.Unimplemented, missing.StatusCode);
    }

    [Fact]
    public async Task Tls_is_spoken_to_https_and_a_certificate_that_is_not_trusted_is_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var path = Path.Combine(_directory.FullName, "c.pfx");
        await File.WriteAllBytesAsync(path, certificate.Export(X509ContentType.Pfx, "secret"));
        await using var server = await StartAsync(new GrpcServerOptions
        {
            Certificate = new GrpcCertificate { Path = path, Password = "secret" },
        });

        using var trusting = new IngestClient(new IngestClientOptions
        {
            Address = AddressOf(server),
            Tls = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, presented, _, _) =>
                    presented!.GetCertHashString() == certificate.GetCertHashString(),
            },
        });
        Assert.True(await trusting.IsServingAsync(Patience));
        await using var stream = trusting.OpenGpsPoints();
        await stream.WriteAsync(Rows.Point(1));
        Assert.Equal(1, (await stream.CompleteAsync().WaitAsync(Patience)).AcceptedCount);

        using var wary = new IngestClient(AddressOf(server));
        var refused = await Assert.ThrowsAsync<RpcException>(() => wary.IsServingAsync(Patience));
        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
        Assert.StartsWith("Cannot connect to https://", refused.Detail, StringComparison.Ordinal);
    }

    private static async Task<WebApplication> StartAsync(GrpcServerOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpcTransport(options);
        builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.ListenGrpc(new IPEndPoint(IPAddress.Loopback, 0), options));
        builder.WebHost.UseKestrelHttpsConfiguration();
        var application = builder.Build();
        application.MapGrpcHealth();
        application.MapGrpcService(IngestServiceReflection.Descriptor.Services[0])
            .ClientStreaming<StreamGpsPointsRequest, StreamGpsPointsResponse>("StreamGpsPoints", async (rows, _) =>
            {
                var response = new StreamGpsPointsResponse();
                await foreach (var batch in rows.ReadAllAsync())
                {
                    response.AcceptedCount += batch.Points.Count;
                }
                return response;
            })
            .ClientStreaming<StreamEventsRequest, StreamEventsResponse>("StreamEvents", async (rows, call) =>
            {
                await rows.ReadAsync();
                call.ResponseTrailers.Add("ingest-accepted-count", "7");
                throw RpcException.WithDetails(StatusCode.Unavailable, "no room", new Google.Rpc.RetryInfo
                {
                    RetryDelay = new Google.Protobuf.WellKnownTypes.Duration { Seconds = 2 },
                });
            });
        await application.StartAsync();
        return application;
    }

    private static Uri AddressOf(WebApplication server) => new(server.Services.GetRequiredService<IServer>()
        .Features.Get<IServerAddressesFeature>()!.Addresses.First());
}
