using System.Diagnostics.Metrics;
using System.Text;
using Ingest.Server.Observability;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Ingest.Server.Tests.Observability;

/// <summary>A meter of its own behind the SDK and the exporter.</summary>
internal sealed class PrometheusScrape : IDisposable
{
    private readonly PrometheusExporter _exporter;
    private readonly MeterProvider _provider;

    public PrometheusScrape(
        ILogger<PrometheusExporter>? logger = null, Action<MeterProviderBuilder>? configure = null,
        params string[] otherMeters)
    {
        Meter = new Meter("test." + Guid.NewGuid().ToString("N"));
        _exporter = new PrometheusExporter(logger ?? NullLogger<PrometheusExporter>.Instance);
        var builder = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(ResourceBuilder.CreateEmpty()
                .AddService("svc \"1\"", autoGenerateServiceInstanceId: false))
            .AddMeter([Meter.Name, .. otherMeters])
            .AddReader(new BaseExportingMetricReader(_exporter));
        configure?.Invoke(builder);
        _provider = builder.Build();
    }

    public Meter Meter { get; }

    public async Task<string> TextAsync(PrometheusFormat format = PrometheusFormat.Text)
    {
        var text = "";
        Assert.True(await _exporter.ScrapeAsync(
            format, bytes => text = Encoding.UTF8.GetString(bytes.Span), CancellationToken.None));
        return text;
    }

    /// <summary>The lines of the meter, its name left out of the labels.</summary>
    public async Task<string[]> LinesAsync(PrometheusFormat format = PrometheusFormat.Text) =>
        [.. (await TextAsync(format))
            .Replace($"otel_scope_name=\"{Meter.Name}\",", "", StringComparison.Ordinal)
            .Replace($"otel_scope_name=\"{Meter.Name}\"", "", StringComparison.Ordinal)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.Contains("target", StringComparison.Ordinal))];

    /// <summary>Scrapes and looks away.</summary>
    public Task<bool> CopyNothingAsync() =>
        _exporter.ScrapeAsync(PrometheusFormat.Text, static _ => { }, CancellationToken.None);

    public void Dispose()
    {
        _provider.Dispose();
        Meter.Dispose();
    }
}
