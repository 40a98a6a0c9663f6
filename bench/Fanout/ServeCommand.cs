using System.Globalization;
using System.Net;
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

namespace Ingest.Fanout;

/// <summary>
/// The server's parts that a subscriber meets, with a publisher beside them: log (fsync included), topics, service and
/// transport; no store.
/// </summary>
internal static class ServeCommand
{
    /// <summary>The topic that is published to.</summary>
    public const string Topic = "eta-predictions";

    public static async Task<int> RunAsync(Http2Kind http2)
    {
        DirectoryInfo data = Directory.CreateTempSubdirectory("ingest-fanout-");
        try
        {
            await using IngestPipeline pipeline = await IngestPipeline.OpenAsync(
                new PipelineOptions
                {
                    Log = new() { DataDirectory = data.FullName },
                    Store = new StoreOptions { Kind = StoreOptions.NullKind },
                },
                NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
            await using WebApplication app = Build(pipeline, http2);
            await app.StartAsync();
            var address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
            TopicUpdate first = await PublishAsync(pipeline.Topics, 0);
            Console.WriteLine($"port {address.Port} bytes {first.Message.Length}");
            await ObeyAsync(pipeline.Topics);
            await app.StopAsync(new CancellationToken(canceled: true));
            return 0;
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static WebApplication Build(IngestPipeline pipeline, Http2Kind http2)
    {
        var grpc = new GrpcServerOptions { Http2 = http2 };
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpcTransport(grpc);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenGrpc(new IPEndPoint(IPAddress.Loopback, 0), grpc));
        WebApplication app = builder.Build();
        var sessions = new SubscriptionSessions(
            new SubscribeOptions { MaxSubscriptionsPerSender = 20_000 }, pipeline.Admission,
            TimeProvider.System, app.Services.GetRequiredService<Drain>().Started);
        new SubscriptionService(pipeline.Topics, sessions)
            .Bind(app.MapGrpcService(SubscriptionServiceReflection.Descriptor.Services[0]));
        return app;
    }

    private static async Task ObeyAsync(TopicHub hub)
    {
        long published = 0;
        var pending = new List<Task>();
        while (await Console.In.ReadLineAsync() is { } line)
        {
            if (line == "settle")
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                Console.WriteLine("settled");
                continue;
            }

            long goal = long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
            for (; published < goal; published++)
            {
                ValueTask<TopicUpdate> update = PublishAsync(hub, published);
                if (!update.IsCompletedSuccessfully)
                {
                    pending.Add(update.AsTask());
                }
            }

            // Not waited for one by one, nor without limit.
            if (pending.Count > 10_000)
            {
                await Task.WhenAll(pending);
                pending.Clear();
            }
        }
    }

    // An ETA as agents make them; the mark stands where an id would.
    private static ValueTask<TopicUpdate> PublishAsync(TopicHub hub, long number)
    {
        var now = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTime(DateTime.UtcNow);
        return hub.PublishAsync(Topic, "order-4711", new EtaPrediction
        {
            OrderId = "order-4711",
            DriverId = Sample.Mark(number),
            PickupEta = now,
            DeliveryEta = now,
            PickupEtaMinutes = 7.25,
            DeliveryEtaMinutes = 21.5,
            Confidence = 0.83,
            DeliveryEtaLow = now,
            DeliveryEtaHigh = now,
            Timestamp = now,
        });
    }
}
