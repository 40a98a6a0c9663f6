using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Ingest.Server.Observability;

/// <summary>
/// Runs the OpenTelemetry SDK for the life of the server: metrics always, for <c>/metrics</c>; their export and traces
/// when an OTLP endpoint is configured.
/// </summary>
/// <remarks>
/// The package that hosts the SDK is not in the registry in reach, so its providers are built and ended here. Settings
/// are OpenTelemetry's own (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, <c>OTEL_EXPORTER_OTLP_PROTOCOL</c>,
/// <c>OTEL_SERVICE_NAME</c>, <c>OTEL_RESOURCE_ATTRIBUTES</c>, <c>OTEL_METRIC_EXPORT_INTERVAL</c>,
/// <c>OTEL_TRACES_SAMPLER</c>, ...), from the environment or any other source of configuration.
/// </remarks>
internal sealed class Telemetry : IHostedService, IDisposable
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string MetricsEndpoint = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
    private const string TracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    private const string Disabled = "OTEL_SDK_DISABLED";

    private readonly IConfiguration _configuration;
    private readonly ILogger<Telemetry> _logger;
    private readonly MeterProvider? _metrics;
    private readonly TracerProvider? _traces;

    /// <summary>Builds the providers; measurements count from here on.</summary>
    /// <param name="configuration">The server's configuration.</param>
    /// <param name="exporter">Answers scrapes; the caller keeps it.</param>
    /// <param name="instruments">The server's instruments, which have to be there.</param>
    /// <param name="logger">Says where exports go.</param>
    public Telemetry(
        IConfiguration configuration, PrometheusExporter exporter, Metrics instruments, ILogger<Telemetry> logger)
    {
        _ = instruments;
        _configuration = configuration;
        _logger = logger;
        if (bool.TryParse(configuration[Disabled], out var disabled) && disabled)
        {
            return;
        }

        var metrics = Sdk.CreateMeterProviderBuilder()
            .ConfigureServices(UseConfiguration)
            .SetResourceBuilder(CreateResource())
            .AddMeter(Metrics.MeterNames)
            .AddReader(new BaseExportingMetricReader(exporter));
        if (ExportsTo(MetricsEndpoint))
        {
            metrics.AddOtlpExporter();
        }

        _metrics = metrics.Build();
        if (ExportsTo(TracesEndpoint))
        {
            _traces = Sdk.CreateTracerProviderBuilder()
                .ConfigureServices(UseConfiguration)
                .SetResourceBuilder(CreateResource())
                .AddSource(Grpc.CallTracing.SourceName)
                .AddOtlpExporter()
                .Build();
        }
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var target = _configuration[Endpoint] ?? _configuration[MetricsEndpoint] ?? _configuration[TracesEndpoint];
        if (_metrics is not null && !string.IsNullOrEmpty(target))
        {
            LogMessages.TelemetryExported(_logger, target);
        }

        return Task.CompletedTask;
    }

    /// <summary>Exports what is left, unless that takes longer than the server may.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // The SDK blocks its caller, for long when nobody answers at the endpoint.
        var shutdown = Task.Run(
            () =>
            {
                _traces?.Shutdown();
                _metrics?.Shutdown();
            },
            CancellationToken.None);
        try
        {
            await shutdown.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // What is left is lost; the data is not.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }

    private static ResourceBuilder CreateResource() => ResourceBuilder.CreateEmpty()
        .AddTelemetrySdk()
        .AddService(ServerInfo.Name, serviceVersion: ServerInfo.Version)
        .AddEnvironmentVariableDetector();

    private void UseConfiguration(IServiceCollection services) => services.AddSingleton(_configuration);

    private bool ExportsTo(string signalEndpoint) =>
        !string.IsNullOrEmpty(_configuration[Endpoint]) || !string.IsNullOrEmpty(_configuration[signalEndpoint]);
}
