using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Cli.Binding;

/// <summary>
/// Columns into metric samples. A column that is no field is a metric where its value is a number, else a label.
/// </summary>
internal sealed class MetricSampleBinder(BindingOptions options) : RowBinder<MetricSample>(Fields, options)
{
    private const int Campaign = 0;
    private const int Time = 1;
    private const int Date = 2;
    private const string MetricPrefix = "metrics.";
    private const string LabelPrefix = "labels.";
    private const string EitherPrefix = "*.";

    private static readonly RowFields Fields = new(
        new RowField(Campaign, "campaign_id", "campaign"),
        new RowField(Time, "timestamp", "time", "datetime", "unixtime", "ts"),
        new RowField(Date, "date"));

    private readonly MetricSample _row = new() { Timestamp = new Timestamp() };
    private readonly Dictionary<string, string> _names = [];
    private TimeValue _time;

    public override MetricSample Row => _row;

    protected override IReadOnlyList<string> ExtraPrefixes => [MetricPrefix, LabelPrefix];

    protected override string? DefaultExtraPrefix => EitherPrefix;

    public override string? FindMissing(IReadOnlyCollection<int> fields)
    {
        if (!fields.Contains(Campaign) && !HasConstant(Campaign))
        {
            return "no column for campaign_id";
        }
        return fields.Contains(Time) || fields.Contains(Date) || HasConstant(Time) ? null : "no column for timestamp";
    }

    protected override void Clear()
    {
        _row.CampaignId = "";
        _row.Metrics.Clear();
        _row.Labels.Clear();
        _time = default;
    }

    protected override bool TrySetField(int field, ReadOnlySpan<byte> text)
    {
        if (field == Campaign)
        {
            _row.CampaignId = ToText(text);
            return true;
        }
        return _time.TrySet(text);
    }

    protected override bool TrySetExtra(string path, ReadOnlySpan<byte> text)
    {
        if (!_names.TryGetValue(path, out var name))
        {
            name = path[(path.IndexOf('.', StringComparison.Ordinal) + 1)..];
            _names.Add(path, name);
        }
        if (text.IsEmpty)
        {
            return true;
        }
        var isLabel = path.StartsWith(LabelPrefix, StringComparison.OrdinalIgnoreCase);
        if (!isLabel && FieldText.TryNumber(text, out var number))
        {
            _row.Metrics[name] = number;
            return true;
        }
        _row.Labels[name] = ToText(text);
        return !path.StartsWith(MetricPrefix, StringComparison.OrdinalIgnoreCase);
    }

    protected override bool IsMessage(string path) => false;

    protected override string? Finish(long line)
    {
        if (_row.CampaignId.Length == 0)
        {
            return "campaign_id is missing";
        }
        if (!_time.TryResolve(Options, out var micros))
        {
            return _time.IsTimeOfDay ? "timestamp has no date; --date gives one" : "timestamp is missing";
        }
        TimeValue.Store(micros, _row.Timestamp);
        return null;
    }
}
