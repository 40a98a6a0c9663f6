namespace Ingest.Server.Observability;

/// <summary>The two texts that Prometheus reads.</summary>
internal enum PrometheusFormat
{
    /// <summary>Prometheus text format 0.0.4.</summary>
    Text,

    /// <summary>OpenMetrics 1.0.</summary>
    OpenMetrics,
}
