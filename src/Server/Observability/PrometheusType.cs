namespace Ingest.Server.Observability;

/// <summary>What Prometheus takes a family of series for.</summary>
internal enum PrometheusType
{
    /// <summary>Only grows.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>Observations counted in buckets.</summary>
    Histogram,
}
