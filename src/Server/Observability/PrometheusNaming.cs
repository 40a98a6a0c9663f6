using System.Text;

namespace Ingest.Server.Observability;

/// <summary>Names of OpenTelemetry as names of Prometheus.</summary>
/// <remarks>
/// Source: OpenTelemetry specification, compatibility/prometheus_and_openmetrics.md. One thing differs: a gauge's
/// <c>_count</c> becomes <c>_current</c>, since <c>_count</c> belongs to histograms and promtool objects to it
/// elsewhere (.NET's own <c>dotnet.thread_pool.thread.count</c> is such a gauge).
/// </remarks>
internal static class PrometheusNaming
{
    private const string Total = "_total";
    private const string Count = "_count";
    private const string Ratio = "ratio";

    /// <summary>The name of a family without <c>_total</c>: what OpenMetrics calls the MetricFamily.</summary>
    /// <param name="instrument">Name of the instrument.</param>
    /// <param name="unit">The unit's word, from <see cref="Unit"/>; may be empty.</param>
    /// <param name="type">What the family is.</param>
    public static string FamilyName(string instrument, string unit, PrometheusType type)
    {
        var name = Sanitize(instrument, allowColon: true);
        if (type == PrometheusType.Counter && name.EndsWith(Total, StringComparison.Ordinal))
        {
            name = name[..^Total.Length];
        }
        else if (type == PrometheusType.Gauge && name.EndsWith(Count, StringComparison.Ordinal))
        {
            name = name[..^Count.Length] + "_current";
        }

        return unit.Length == 0 || name.EndsWith("_" + unit, StringComparison.Ordinal) || name == unit
            ? name
            : $"{name}_{unit}";
    }

    /// <summary>The name of a family's samples, before <c>_bucket</c> and its like.</summary>
    public static string SampleName(string familyName, PrometheusType type) =>
        type == PrometheusType.Counter ? familyName + Total : familyName;

    /// <summary>A label's name.</summary>
    public static string LabelName(string attribute) =>
        Sanitize(attribute, allowColon: false) is { Length: > 0 } name ? name : "_";

    /// <summary>A unit of UCUM as Prometheus spells it: <c>By/s</c> is <c>bytes_per_second</c>.</summary>
    /// <returns>Empty for what has no unit: <c>{row}</c>, and <c>1</c> unless it is a gauge.</returns>
    public static string Unit(string unit, PrometheusType type)
    {
        var text = WithoutAnnotations(unit);
        if (text == "1")
        {
            return type == PrometheusType.Gauge ? Ratio : "";
        }

        var slash = text.IndexOf('/');
        if (slash < 0)
        {
            return Word(text);
        }

        var over = Word(text[..slash]);
        var per = PerWord(text[(slash + 1)..]);
        return per.Length == 0 ? over : over.Length == 0 ? $"per_{per}" : $"{over}_per_{per}";
    }

    private static string WithoutAnnotations(string unit)
    {
        var open = unit.IndexOf('{');
        if (open < 0)
        {
            return unit.Trim();
        }

        var text = new StringBuilder();
        var depth = 0;
        foreach (var c in unit)
        {
            depth += c == '{' ? 1 : 0;
            if (depth == 0)
            {
                text.Append(c);
            }

            depth -= c == '}' && depth > 0 ? 1 : 0;
        }

        return text.ToString().Trim();
    }

    private static string Word(string unit) => unit switch
    {
        "d" => "days",
        "h" => "hours",
        "min" => "minutes",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "GiBy" => "gibibytes",
        "TiBy" => "tebibytes",
        "kBy" or "KBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "TBy" => "terabytes",
        "m" => "meters",
        "km" => "kilometers",
        "V" => "volts",
        "A" => "amperes",
        "J" => "joules",
        "W" => "watts",
        "g" => "grams",
        "Cel" => "celsius",
        "Hz" => "hertz",
        "%" => "percent",
        _ => Sanitize(unit, allowColon: false).Trim('_'),
    };

    private static string PerWord(string unit) => unit switch
    {
        "s" => "second",
        "m" or "min" => "minute",
        "h" => "hour",
        "d" => "day",
        "wk" or "w" => "week",
        "mo" => "month",
        "a" or "y" => "year",
        _ => Word(unit),
    };

    /// <summary>Letters, digits, underscores: each run of anything else is one underscore, no digit in front.</summary>
    private static string Sanitize(string name, bool allowColon)
    {
        if (IsValid(name, allowColon))
        {
            return name;
        }

        var text = new StringBuilder(name.Length + 1);
        foreach (var c in name)
        {
            if (char.IsAsciiLetterOrDigit(c) || (allowColon && c == ':'))
            {
                text.Append(text.Length == 0 && char.IsAsciiDigit(c) ? "_" : "").Append(c);
            }
            else if (text.Length == 0 || text[^1] != '_')
            {
                text.Append('_');
            }
        }

        return text.ToString();
    }

    private static bool IsValid(string name, bool allowColon)
    {
        if (name.Length > 0 && char.IsAsciiDigit(name[0]))
        {
            return false;
        }

        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            if (!char.IsAsciiLetterOrDigit(c) && !(allowColon && c == ':')
                && (c != '_' || (i > 0 && name[i - 1] == '_')))
            {
                return false;
            }
        }

        return true;
    }
}
