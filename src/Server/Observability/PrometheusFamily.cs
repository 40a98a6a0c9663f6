using OpenTelemetry.Metrics;

namespace Ingest.Server.Observability;

/// <summary>A name of Prometheus with the OpenTelemetry metrics that come out under it.</summary>
/// <param name="Name">The MetricFamily's name: of a counter without <c>_total</c>.</param>
/// <param name="SampleName">The name of its samples, before <c>_bucket</c> and its like.</param>
/// <param name="Type">What it is.</param>
/// <param name="Unit">The unit's word, or empty.</param>
/// <param name="Help">What it says.</param>
internal sealed record PrometheusFamily(
    string Name, string SampleName, PrometheusType Type, string Unit, string Help)
{
    /// <summary>The metrics of the scrape that is being written, each from another meter.</summary>
    public List<(Metric Metric, string Scope)> Members { get; } = [];

    /// <summary>Adds a metric to the scrape.</summary>
    /// <param name="metric">The metric.</param>
    /// <param name="scope">Labels that tell its meter from others.</param>
    /// <returns>False when the meter already has one under this name: series would come out twice.</returns>
    public bool TryAdd(Metric metric, string scope)
    {
        foreach (var member in Members)
        {
            if (member.Scope == scope)
            {
                return false;
            }
        }

        Members.Add((metric, scope));
        return true;
    }

    /// <summary>The names that its lines begin with, none of which another family may have.</summary>
    public IEnumerable<string> ClaimedNames()
    {
        yield return Name;
        switch (Type)
        {
            case PrometheusType.Counter:
                yield return SampleName;
                break;
            case PrometheusType.Histogram:
                yield return Name + "_bucket";
                yield return Name + "_count";
                yield return Name + "_sum";
                break;
        }
    }
}
