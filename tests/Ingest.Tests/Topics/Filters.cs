using Google.Protobuf;
using Ingest.V1;

namespace Ingest.Tests.Topics;

/// <summary>Filters as JSON writes them.</summary>
internal static class Filters
{
    public static Filter Parse(string json) => JsonParser.Default.Parse<Filter>(json);

    /// <summary>A comparison; the value as JSON: a number, a text in quotes, true or false.</summary>
    public static Filter Compare(string field, string comparison, string value) => new()
    {
        Comparison = new Comparison
        {
            Field = field,
            Operator = Enum.Parse<ComparisonOperator>(
                comparison.Replace("_", "", StringComparison.Ordinal), ignoreCase: true),
            Value = value[0] == '"' ? new Scalar { Text = value.Trim('"') }
                : value is "true" or "false" ? new Scalar { Boolean = value is "true" }
                : new Scalar { Number = double.Parse(value, System.Globalization.CultureInfo.InvariantCulture) },
        },
    };
}
