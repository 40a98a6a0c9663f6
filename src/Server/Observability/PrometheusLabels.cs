using System.Globalization;
using System.Text;
using System.Text.Json;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Ingest.Server.Observability;

/// <summary>Writes labels: of a point, of its meter, of the resource.</summary>
/// <remarks>Used by one scrape at a time.</remarks>
internal sealed class PrometheusLabels
{
    private const string ScopePrefix = "otel_scope_";

    /// <summary>This many attribute names are remembered; there are few, and no one can fill the memory.</summary>
    private const int MaxKnownNames = 1024;

    private static readonly Comparison<(string Name, string Key, object? Value)> ByName = static (a, b) =>
        string.CompareOrdinal(a.Name, b.Name) is not 0 and var order ? order : string.CompareOrdinal(a.Key, b.Key);

    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly List<(string Name, string Key, object? Value)> _labels = [];

    /// <summary>The labels that name a metric's meter.</summary>
    public static string Scope(Metric metric)
    {
        var labels = new PrometheusLabels();
        labels.Collect(ScopePrefix + "name", metric.MeterName, reserved: null);
        if (metric.MeterVersion.Length > 0)
        {
            labels.Collect(ScopePrefix + "version", metric.MeterVersion, reserved: null);
        }

        foreach (var (key, value) in metric.MeterTags ?? [])
        {
            labels.Collect(ScopePrefix + key, value, reserved: null);
        }

        return labels.Render();
    }

    /// <summary>Labels of attributes, without braces.</summary>
    public static string Render(IEnumerable<KeyValuePair<string, object>> attributes)
    {
        var labels = new PrometheusLabels();
        foreach (var (key, value) in attributes)
        {
            labels.Collect(key, value, reserved: null);
        }

        return labels.Render();
    }

    /// <summary>Writes a point's labels, without braces.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="scope">Labels of the meter, from <see cref="Scope"/>.</param>
    /// <param name="tags">The point's attributes.</param>
    /// <param name="reserved">A label that the format itself adds, or null.</param>
    public void Write(PrometheusText text, string scope, ReadOnlyTagCollection tags, string? reserved)
    {
        text.Append(scope);
        _labels.Clear();
        foreach (var (key, value) in tags)
        {
            Collect(key, value, reserved, ScopePrefix);
        }

        Write(text, first: scope.Length == 0);
    }

    /// <summary>An attribute's value as text, as the specification's "attribute" section has it.</summary>
    internal static string ValueText(object? value) => value switch
    {
        null => "",
        string s => s,
        bool b => b ? "true" : "false",
        Array list => JsonSerializer.Serialize(list, list.GetType()),
        IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private string Render()
    {
        var text = new PrometheusText();
        Write(text, first: true);
        return Encoding.UTF8.GetString(text.Written.Span);
    }

    private void Collect(string key, object? value, string? reserved, string? reservedPrefix = null)
    {
        if (!_names.TryGetValue(key, out var name))
        {
            name = PrometheusNaming.LabelName(key);
            if (_names.Count < MaxKnownNames)
            {
                _names.Add(key, name);
            }
        }

        // What Prometheus itself does to a label that it wants to set.
        var taken = name == reserved || (reservedPrefix is not null
            && name.StartsWith(reservedPrefix, StringComparison.Ordinal));
        _labels.Add((taken ? "exported_" + name : name, key, value));
    }

    // Attributes that fall together are one label, their values joined in the order of the attributes' names.
    private void Write(PrometheusText text, bool first)
    {
        _labels.Sort(ByName);
        for (var i = 0; i < _labels.Count; i++)
        {
            var (name, _, value) = _labels[i];
            if (i > 0 && _labels[i - 1].Name == name)
            {
                text.Append(";"u8);
            }
            else
            {
                text.Append(i > 0 ? "\","u8 : first ? default : ","u8);
                text.Append(name);
                text.Append("=\""u8);
            }

            text.AppendLabelValue(ValueText(value));
        }

        text.Append(_labels.Count > 0 ? "\""u8 : default);
    }
}
