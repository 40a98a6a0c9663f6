using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Ingest.Server.Observability;

/// <summary>Writes what the OpenTelemetry SDK has collected as text for Prometheus, when it is asked to.</summary>
/// <remarks>
/// Nothing runs between scrapes. Scrapes queue up; each collects anew into the same buffers, so that a scrape costs
/// next to no memory and never shows half of an update.
/// </remarks>
[ExportModes(ExportModes.Pull)]
internal sealed class PrometheusExporter(ILogger<PrometheusExporter> logger) : BaseExporter<Metric>, IPullMetricExporter
{
    /// <summary>Longest that observable instruments may take, milliseconds.</summary>
    private const int CollectTimeout = 10_000;

    private readonly SemaphoreSlim _turn = new(1);
    private readonly PrometheusFamilies _families = new(logger);
    private readonly PrometheusLabels _labels = new();
    private readonly PrometheusText _text = new();
    private readonly PrometheusText _pointLabels = new();
    private PrometheusFormat _format;
    private string? _target;

    /// <summary>Set by the reader that the exporter is given to.</summary>
    public Func<int, bool>? Collect { get; set; }

    /// <summary>Collects and hands the text out.</summary>
    /// <param name="format">The format wanted.</param>
    /// <param name="receive">Copies the text; it is not valid afterwards.</param>
    /// <param name="cancellationToken">Gives up waiting for scrapes before this one.</param>
    /// <returns>False when nothing could be collected: the SDK is not started, disabled, or too slow.</returns>
    public async Task<bool> ScrapeAsync(
        PrometheusFormat format, Action<ReadOnlyMemory<byte>> receive, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            _format = format;
            _text.Reset();
            if (Collect is not { } collect || !collect(CollectTimeout))
            {
                return false;
            }

            receive(_text.Written);
            return true;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public override ExportResult Export(in Batch<Metric> batch)
    {
        _text.Reset();
        _families.Clear();
        foreach (var metric in batch)
        {
            _families.Add(metric);
        }

        WriteTarget();
        foreach (var family in _families.Filled)
        {
            WriteHeader(family);
            foreach (var (metric, scope) in family.Members)
            {
                WriteMetric(family, metric, scope);
            }
        }

        _text.Append(_format == PrometheusFormat.OpenMetrics ? "# EOF\n"u8 : default);
        return ExportResult.Success;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _turn.Dispose();
        }

        base.Dispose(disposing);
    }

    private void WriteTarget()
    {
        _target ??= PrometheusLabels.Render(ParentProvider?.GetResource().Attributes ?? []);
        if (_target.Length > 0)
        {
            _text.Append(_format == PrometheusFormat.OpenMetrics
                ? "# TYPE target info\n# HELP target What is measured\ntarget_info{"u8
                : "# HELP target_info What is measured\n# TYPE target_info gauge\ntarget_info{"u8);
            _text.Append(_target);
            _text.Append("} 1\n"u8);
        }
    }

    private void WriteHeader(PrometheusFamily family)
    {
        var name = _format == PrometheusFormat.OpenMetrics ? family.Name : family.SampleName;
        _text.Append("# TYPE "u8);
        _text.Append(name);
        _text.Append(family.Type switch
        {
            PrometheusType.Counter => " counter\n"u8,
            PrometheusType.Gauge => " gauge\n"u8,
            _ => " histogram\n"u8,
        });
        if (_format == PrometheusFormat.OpenMetrics && family.Unit.Length > 0)
        {
            _text.Append("# UNIT "u8);
            _text.Append(name);
            _text.Append(" "u8);
            _text.Append(family.Unit);
            _text.Append("\n"u8);
        }

        _text.Append("# HELP "u8);
        _text.Append(name);
        _text.Append(" "u8);
        _text.AppendHelp(family.Help, _format);
        _text.Append("\n"u8);
    }

    private void WriteMetric(PrometheusFamily family, Metric metric, string scope)
    {
        var reserved = family.Type == PrometheusType.Histogram ? "le" : null;
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            _pointLabels.Reset();
            _labels.Write(_pointLabels, scope, point.Tags, reserved);
            switch (metric.MetricType)
            {
                case MetricType.LongSum or MetricType.LongSumNonMonotonic:
                    WriteSample(family.SampleName, default, point.GetSumLong());
                    break;
                case MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic:
                    WriteSample(family.SampleName, default, point.GetSumDouble());
                    break;
                case MetricType.LongGauge:
                    WriteSample(family.SampleName, default, point.GetGaugeLastValueLong());
                    break;
                case MetricType.DoubleGauge:
                    WriteSample(family.SampleName, default, point.GetGaugeLastValueDouble());
                    break;
                case MetricType.Histogram:
                    WriteHistogram(family.SampleName, point);
                    break;
            }
        }
    }

    private void WriteHistogram(string name, in MetricPoint point)
    {
        long below = 0;
        foreach (var bucket in point.GetHistogramBuckets())
        {
            if (double.IsPositiveInfinity(bucket.ExplicitBound))
            {
                break;
            }

            below += bucket.BucketCount;
            WriteBucket(name, bucket.ExplicitBound, below);
        }

        var count = point.GetHistogramCount();
        WriteBucket(name, double.PositiveInfinity, count);

        // A sum that can fall is no sum to Prometheus, which takes each fall for a restart.
        if (!point.TryGetHistogramMinMaxValues(out var min, out _) || !(min < 0))
        {
            WriteSample(name, "_sum"u8, point.GetHistogramSum());
        }

        WriteSample(name, "_count"u8, count);
    }

    private void WriteBucket(string name, double bound, long count)
    {
        _text.Append(name);
        _text.Append("_bucket{"u8);
        _text.Append(_pointLabels.Written.Span);
        _text.Append(_pointLabels.Written.IsEmpty ? "le=\""u8 : ",le=\""u8);
        _text.Append(bound, asFloat: _format == PrometheusFormat.OpenMetrics);
        _text.Append("\"} "u8);
        _text.Append(count);
        _text.Append("\n"u8);
    }

    private void WriteSample(string name, ReadOnlySpan<byte> suffix, long value)
    {
        BeginSample(name, suffix);
        _text.Append(value);
        _text.Append("\n"u8);
    }

    private void WriteSample(string name, ReadOnlySpan<byte> suffix, double value)
    {
        BeginSample(name, suffix);
        _text.Append(value);
        _text.Append("\n"u8);
    }

    private void BeginSample(string name, ReadOnlySpan<byte> suffix)
    {
        _text.Append(name);
        _text.Append(suffix);
        _text.Append("{"u8);
        _text.Append(_pointLabels.Written.Span);
        _text.Append("} "u8);
    }
}
