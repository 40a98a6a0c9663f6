using Ingest.Server.Http2;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using static Grpc.Health.V1.HealthCheckResponse.Types;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Ingest.Server.Grpc;

/// <summary>The way in: registers the transport and maps services.</summary>
public static class GrpcTransport
{
    private static readonly string[] Verbs = [HttpMethods.Post, HttpMethods.Options];

    /// <summary>Registers the transport, its <see cref="Drain"/> and its <see cref="HealthStatus"/>.</summary>
    /// <exception cref="InvalidOperationException">Settings are wrong; the text names all of them.</exception>
    public static IServiceCollection AddGrpcTransport(this IServiceCollection services, GrpcServerOptions options)
    {
        var faults = options.Validate().ToList();
        if (faults.Count > 0)
        {
            throw new InvalidOperationException(string.Join(Environment.NewLine, faults));
        }

        services.AddCors();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton<TransportMemory>();
        services.AddSingleton<IMemoryPoolFactory<byte>>(s => s.GetRequiredService<TransportMemory>());

        // What a socket has read is parsed where it was read. Kestrel's own scheduling hands every read to another
        // thread, for applications that block; nothing here does.
        services.Configure<SocketTransportOptions>(sockets => sockets.UnsafePreferInlineScheduling = true);
        services.AddSingleton<Http2Handler>();
        services.AddSingleton<IConnectionListenerFactory, Http2ListenerFactory>();
        services.ReplaceServer();
        services.AddSingleton<ServiceRegistry>();
        services.AddSingleton<HealthStatus>();
        services.AddSingleton<Drain>();
        services.AddSingleton<CallMetrics>();
        services.AddSingleton<RequestMemory>();
        services.AddSingleton<CallPipeline>();
        services.AddHostedService<DrainService>();
        return services;
    }

    /// <summary>Maps a service; its methods are bound on what comes back.</summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="service">The service, from its generated file: <c>XReflection.Descriptor.Services[0]</c>.</param>
    /// <exception cref="InvalidOperationException">The service is mapped twice.</exception>
    public static GrpcServiceBinder MapGrpcService(this IEndpointRouteBuilder endpoints, ServiceDescriptor service) =>
        endpoints.MapGrpcService(service, servedWhileDraining: false);

    /// <summary>Maps <c>grpc.health.v1</c>.</summary>
    public static void MapGrpcHealth(this IEndpointRouteBuilder endpoints)
    {
        var health = new HealthService(endpoints.ServiceProvider.GetRequiredService<HealthStatus>());
        health.Bind(endpoints.MapGrpcService(HealthService.Descriptor, servedWhileDraining: true));
    }

    /// <summary>Maps <c>grpc.reflection.v1</c> and <c>v1alpha</c>.</summary>
    public static void MapGrpcReflection(this IEndpointRouteBuilder endpoints)
    {
        var reflection = new ReflectionService(endpoints.ServiceProvider.GetRequiredService<ServiceRegistry>());
        foreach (var (service, bind) in reflection.Versions)
        {
            bind(endpoints.MapGrpcService(service, servedWhileDraining: true));
        }
    }

    // Kestrel tells nobody which application it serves.
    private static void ReplaceServer(this IServiceCollection services)
    {
        Microsoft.Extensions.DependencyInjection.ServiceDescriptor kestrel =
            services.Last(service => service.ServiceType == typeof(IServer));
        services.Remove(kestrel);
        services.AddSingleton<IServer>(provider => new Http2Server(
            (IServer)(kestrel.ImplementationFactory?.Invoke(provider)
                ?? ActivatorUtilities.CreateInstance(provider, kestrel.ImplementationType!)),
            provider.GetRequiredService<Http2Handler>()));
    }

    private static GrpcServiceBinder MapGrpcService(
        this IEndpointRouteBuilder endpoints, ServiceDescriptor service, bool servedWhileDraining)
    {
        var registry = endpoints.ServiceProvider.GetRequiredService<ServiceRegistry>();
        var pipeline = endpoints.ServiceProvider.GetRequiredService<CallPipeline>();
        if (!registry.Services.Any())
        {
            MapUnknownMethods(endpoints, pipeline);
        }

        registry.Add(service);
        endpoints.ServiceProvider.GetRequiredService<HealthStatus>().Set(service.FullName, ServingStatus.Serving);
        var metrics = endpoints.ServiceProvider.GetRequiredService<CallMetrics>();
        return new GrpcServiceBinder(service, Map, servedWhileDraining);

        void Map(GrpcMethod method)
        {
            metrics.Add(method.Metrics);
            endpoints
                .MapMethods(method.Path, Verbs, http => pipeline.InvokeAsync(http, method))
                .WithDisplayName($"gRPC {method.Path}");
        }
    }

    /// <summary>What nothing else has mapped: a gRPC request is answered UNIMPLEMENTED, any other one 404.</summary>
    private static void MapUnknownMethods(IEndpointRouteBuilder endpoints, CallPipeline pipeline) => endpoints
        .MapMethods("{service}/{method}", [HttpMethods.Post],
            http => pipeline.InvokeAsync(http, null))
        .WithDisplayName("gRPC, unknown method")
        .WithOrder(int.MaxValue);
}
