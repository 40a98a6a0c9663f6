using Ingest.Server.Http;
using Ingest.Server.Services;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Console;

namespace Ingest.Server.Observability;

/// <summary>The way in: metrics, traces, health and how logs look.</summary>
public static class IngestObservability
{
    private const string ConsoleFormatter = "Logging:Console:FormatterName";

    /// <summary>What logging does unless the configuration says otherwise.</summary>
    private static readonly Dictionary<string, string?> LoggingDefaults = new()
    {
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
        ["Logging:LogLevel:Microsoft.Hosting.Lifetime"] = "Warning",

        // What keeps the host from starting is thrown too, and told in a sentence; its stack trace is not for people.
        ["Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host"] = "None",
        [ConsoleFormatter] = ConsoleFormatterNames.Simple,
        ["Logging:Console:FormatterOptions:SingleLine"] = "true",
        ["Logging:Console:FormatterOptions:TimestampFormat"] = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ",
        ["Logging:Console:FormatterOptions:UseUtcTimestamp"] = "true",
    };

    /// <summary>Registers metrics, traces and health, and makes the console's log one line a message.</summary>
    public static WebApplicationBuilder AddIngestObservability(this WebApplicationBuilder builder)
    {
        // First of all sources, so that every other one overrides it.
        builder.Configuration.Sources.Insert(
            0, new MemoryConfigurationSource { InitialData = LoggingDefaults });
        builder.Logging.AddIngestConsole();

        // The slim builder has named a formatter in code, which would win over the configuration.
        builder.Services.PostConfigure<ConsoleLoggerOptions>(
            console => console.FormatterName = builder.Configuration[ConsoleFormatter]);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton<Grpc.CallMetrics>();
        builder.Services.TryAddSingleton<Grpc.HealthStatus>();
        builder.Services.AddSingleton<Metrics>();
        builder.Services.AddSingleton<PrometheusExporter>();
        builder.Services.AddSingleton<PrometheusEndpoint>();
        builder.Services.AddSingleton<Health>();
        builder.Services.AddHostedService<Telemetry>();
        return builder;
    }

    /// <summary>Writes logs to the console as the section <c>Logging</c> says.</summary>
    public static ILoggingBuilder AddIngestConsole(this ILoggingBuilder logging) => logging.AddConsole();

    /// <summary>
    /// Maps <c>GET /metrics</c>, <c>/health</c>, <c>/health/live</c> and <c>/health/ready</c>, and watches the pipeline
    /// if there is one.
    /// </summary>
    public static void MapIngestObservability(this IEndpointRouteBuilder endpoints, IngestPipeline? pipeline = null)
    {
        var services = endpoints.ServiceProvider;
        if (pipeline is not null)
        {
            Watch(services, pipeline);
        }

        if (services.GetService<SubscriptionSessions>() is { } subscriptions)
        {
            services.GetRequiredService<Metrics>().Watch(subscriptions);
        }

        var metrics = services.GetRequiredService<PrometheusEndpoint>();
        endpoints.MapGet("/metrics", metrics.InvokeAsync).WithDisplayName("Metrics");
        HealthEndpoints.Map(endpoints, services.GetRequiredService<Health>());
    }

    private static void Watch(IServiceProvider services, IngestPipeline pipeline)
    {
        var metrics = services.GetRequiredService<Metrics>();
        metrics.Watch(pipeline.Log.Metrics);
        metrics.Watch(pipeline.Log.Recovery);
        metrics.Watch(() => pipeline.StoreStatus);
        metrics.Watch(pipeline.Admission);

        metrics.Watch(pipeline.Schemas, pipeline.Log);

        var health = services.GetRequiredService<Health>();
        health.AddDetail("store", () => pipeline.Store.Description);
        health.AddDetail("admission", () => HealthOfAdmission.Describe(pipeline.Admission));

        // Not required: a server that is short is asked for less, and says so; one that left the balancer would send
        // its load to the others at once.
        health.Add(new HealthCheck(
            "admission", Required: false, _ => ValueTask.FromResult(HealthOfAdmission.Fault(pipeline.Admission))));
        health.AddDetail("schemas", () => HealthOfSchemas.Tables(pipeline.Schemas.Status));
        health.Add(new HealthCheck(
            "schemas", Required: false,
            _ => ValueTask.FromResult(HealthOfSchemas.Fault(pipeline.Schemas.Status, pipeline.Log.UnclaimedTables))));
        var log = new HealthOfLog(pipeline.Log.Metrics, services.GetRequiredService<TimeProvider>());
        health.Add(new HealthCheck("log", Required: true, _ => ValueTask.FromResult(log.Fault())));

        health.Add(new HealthCheck(
            "quarantine", Required: false, _ => ValueTask.FromResult(HealthOfLog.Damage(pipeline.Log.Recovery))));

        // The log takes rows whether the store does or not; a server that left the balancer with its store would turn
        // an outage of queries into one of senders.
        health.Add(new HealthCheck("store", Required: false, async cancellationToken =>
            HealthOfStore.Fault(await pipeline.Store.IsAvailableAsync(cancellationToken), pipeline.StoreStatus)));
    }
}
