using System.Globalization;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Ingest.V1;

namespace Ingest.Cli.Subscribing;

/// <summary>Reads a condition as people write it, or a Filter of the protos in JSON.</summary>
/// <remarks>
/// <c>confidence&gt;=0.8</c>, <c>severity=CRITICAL</c>, <c>order_id^=A-</c> (begins with), <c>kind in late,lost</c>,
/// <c>location exists</c>, <c>location within 52.52,13.40,2500</c> (a circle: latitude, longitude, metres) or
/// <c>within 52.3,13.1,52.7,13.8</c> (a box: south, west, north, east). In quotes a value is a text.
/// </remarks>
internal static partial class FilterText
{
    private static readonly Dictionary<string, ComparisonOperator> Operators = new(StringComparer.Ordinal)
    {
        ["="] = ComparisonOperator.Equal,
        ["!="] = ComparisonOperator.NotEqual,
        ["<"] = ComparisonOperator.Less,
        ["<="] = ComparisonOperator.LessOrEqual,
        [">"] = ComparisonOperator.Greater,
        [">="] = ComparisonOperator.GreaterOrEqual,
        ["^="] = ComparisonOperator.Prefix,
    };

    /// <summary>Reads conditions that all have to hold; null when there are none.</summary>
    /// <exception cref="UsageException">One of them is none.</exception>
    public static Filter? Parse(IReadOnlyList<string> conditions) => conditions.Count switch
    {
        0 => null,
        1 => Parse(conditions[0]),
        _ => new Filter { AllOf = new FilterList { Filters = { conditions.Select(Parse) } } },
    };

    private static Filter Parse(string text)
    {
        if (text.TrimStart().StartsWith('{'))
        {
            return ParseJson(text);
        }
        if (Condition().Match(text) is not { Success: true } match)
        {
            throw NoCondition(text);
        }
        var field = match.Groups["field"].Value;
        var value = match.Groups["value"].Value.Trim();
        return match.Groups["operator"].Value switch
        {
            "exists" when value.Length == 0 => Compare(field, ComparisonOperator.Exists, null),
            "in" when value.Length > 0 => new Filter
            {
                Membership = new Membership { Field = field, Values = { value.Split(',').Select(ToScalar) } },
            },
            "within" => new Filter { Within = ToWithin(field, value, text) },
            { } symbol when Operators.TryGetValue(symbol, out var comparison) && value.Length > 0 =>
                Compare(field, comparison, ToScalar(value)),
            _ => throw NoCondition(text),
        };
    }

    private static Filter Compare(string field, ComparisonOperator comparison, Scalar? value) =>
        new() { Comparison = new Comparison { Field = field, Operator = comparison, Value = value } };

    private static Scalar ToScalar(string text)
    {
        text = text.Trim();
        if (text.Length >= 2 && text[0] == '"' && text[^1] == '"')
        {
            return new Scalar { Text = text[1..^1] };
        }
        if (text is "true" or "false")
        {
            return new Scalar { Boolean = text is "true" };
        }
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? new Scalar { Number = number }
            : new Scalar { Text = text };
    }

    private static Within ToWithin(string field, string value, string text)
    {
        var numbers = new List<double>();
        foreach (var part in value.Split(','))
        {
            numbers.Add(double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw NoCondition(text));
        }
        return numbers switch
        {
            [var lat, var lon, var meters] => new Within
            {
                Field = field,
                Circle = new Circle { Center = new Location { Lat = lat, Lon = lon }, RadiusMeters = meters },
            },
            [var south, var west, var north, var east] => new Within
            {
                Field = field,
                Box = new Box
                {
                    SouthWest = new Location { Lat = south, Lon = west },
                    NorthEast = new Location { Lat = north, Lon = east },
                },
            },
            _ => throw NoCondition(text),
        };
    }

    private static Filter ParseJson(string text)
    {
        try
        {
            return JsonParser.Default.Parse<Filter>(text);
        }
        catch (Exception exception) when (exception is InvalidJsonException or InvalidProtocolBufferException)
        {
            throw new UsageException($"--filter is no Filter in JSON: {exception.Message}");
        }
    }

    private static UsageException NoCondition(string text) => new(
        $"--filter '{text}' is no condition; confidence>=0.8, kind in late,lost and "
        + "location within 52.52,13.40,2500 are.");

    [GeneratedRegex(
        """^\s*(?<field>[A-Za-z_][\w.]*)\s*(?<operator>!=|<=|>=|\^=|=|<|>|(?<=\s)(in|within|exists)\b)(?<value>.*)$""",
        RegexOptions.ExplicitCapture)]
    private static partial Regex Condition();
}
