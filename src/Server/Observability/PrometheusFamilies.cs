using System.Runtime.CompilerServices;
using OpenTelemetry.Metrics;

namespace Ingest.Server.Observability;

/// <summary>
/// Puts the metrics of a scrape under their names. Names are worked out once a metric; a name belongs to the first
/// family that came with it, and what does not fit beside it is left out and reported once.
/// </summary>
/// <remarks>Used by one scrape at a time.</remarks>
internal sealed class PrometheusFamilies(ILogger logger)
{
    private readonly SortedDictionary<string, PrometheusFamily> _families = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PrometheusFamily> _claims = new(StringComparer.Ordinal);
    private readonly ConditionalWeakTable<Metric, Place> _places = [];

    /// <summary>The families of the scrape by name, without those that nothing was added to.</summary>
    public IEnumerable<PrometheusFamily> Filled => _families.Values.Where(family => family.Members.Count > 0);

    /// <summary>Begins a scrape.</summary>
    public void Clear()
    {
        foreach (var family in _families.Values)
        {
            family.Members.Clear();
        }
    }

    /// <summary>Adds a metric to the scrape.</summary>
    public void Add(Metric metric)
    {
        var place = _places.GetValue(metric, FindPlace);
        if (place.Family is { } family && !family.TryAdd(metric, place.Scope) && !place.Reported)
        {
            place.Reported = true;
            LogMessages.MetricNameTaken(logger, metric.Name, metric.MeterName, family.SampleName);
        }
    }

    private Place FindPlace(Metric metric)
    {
        if (TypeOf(metric) is not { } type)
        {
            return new Place(null, "");
        }

        var unit = PrometheusNaming.Unit(metric.Unit, type);
        var name = PrometheusNaming.FamilyName(metric.Name, unit, type);
        if (!_families.TryGetValue(name, out var family))
        {
            var help = metric.Description.Length > 0 ? metric.Description : metric.Name;
            family = new PrometheusFamily(name, PrometheusNaming.SampleName(name, type), type, unit, help);
            if (!TryClaim(family))
            {
                family = null;
            }
        }
        else if (family.Type != type)
        {
            family = null;
        }

        if (family is null)
        {
            LogMessages.MetricNameTaken(logger, metric.Name, metric.MeterName, name);
        }

        return new Place(family, PrometheusLabels.Scope(metric));
    }

    private bool TryClaim(PrometheusFamily family)
    {
        var names = family.ClaimedNames().Distinct().ToArray();
        if (names.Any(_claims.ContainsKey))
        {
            return false;
        }

        foreach (var name in names)
        {
            _claims.Add(name, family);
        }

        _families.Add(family.Name, family);
        return true;
    }

    /// <summary>Null for what the text formats cannot say: exponential histograms and deltas.</summary>
    private static PrometheusType? TypeOf(Metric metric) => metric.MetricType switch
    {
        MetricType.LongSum or MetricType.DoubleSum when metric.Temporality == AggregationTemporality.Cumulative =>
            PrometheusType.Counter,
        MetricType.Histogram when metric.Temporality == AggregationTemporality.Cumulative => PrometheusType.Histogram,
        MetricType.LongSumNonMonotonic or MetricType.DoubleSumNonMonotonic or MetricType.LongGauge
            or MetricType.DoubleGauge => PrometheusType.Gauge,
        _ => null,
    };

    private sealed class Place(PrometheusFamily? family, string scope)
    {
        public PrometheusFamily? Family { get; } = family;

        public string Scope { get; } = scope;

        public bool Reported { get; set; }
    }
}
