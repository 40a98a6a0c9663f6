using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Ingest.V1;

namespace Ingest.Server.Realtime;

/// <summary>
/// A filter as people write it: the JSON form of <see cref="Filter"/>, where an operator may be <c>"less"</c> or
/// <c>"&lt;"</c> and a scalar its plain value.
/// </summary>
internal static class FilterJson
{
    private const string OperatorPrefix = "COMPARISON_OPERATOR_";
    private const int MaxDepth = 64;

    private static readonly JsonParser s_parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(false));

    private static readonly Dictionary<string, string> s_signs = new(StringComparer.Ordinal)
    {
        ["="] = "EQUAL",
        ["=="] = "EQUAL",
        ["!="] = "NOT_EQUAL",
        ["<"] = "LESS",
        ["<="] = "LESS_OR_EQUAL",
        [">"] = "GREATER",
        [">="] = "GREATER_OR_EQUAL",
    };

    /// <summary>Reads a filter; whether it can be applied is the topics' to say.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static string? Read(string json, out Filter? filter)
    {
        filter = null;
        try
        {
            JsonNode? root = JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { MaxDepth = MaxDepth });
            if (root is not JsonObject written)
            {
                return "The filter is no JSON object.";
            }

            Expand(written);
            filter = s_parser.Parse<Filter>(written.ToJsonString());
            return null;
        }
        catch (Exception e) when (e is JsonException or InvalidProtocolBufferException or InvalidJsonException
            or ArgumentException or InvalidOperationException or FormatException)
        {
            return $"The filter cannot be read: {e.Message.TrimEnd('.')}.";
        }
    }

    private static void Expand(JsonNode? node)
    {
        if (node is JsonArray list)
        {
            foreach (JsonNode? item in list)
            {
                Expand(item);
            }
        }
        else if (node is JsonObject written)
        {
            foreach (KeyValuePair<string, JsonNode?> field in written.ToArray())
            {
                switch (field.Key, field.Value)
                {
                    case ("operator", JsonValue value) when value.TryGetValue(out string? word):
                        written[field.Key] = OperatorName(word);
                        break;
                    case ("value", JsonValue value):
                        written[field.Key] = Scalar(value);
                        break;
                    case ("values", JsonArray values):
                        written[field.Key] = new JsonArray(
                            [.. values.ToArray()
                                .Select(item => item is JsonValue plain ? Scalar(plain) : item?.DeepClone())]);
                        break;
                    case ("all_of" or "allOf" or "any_of" or "anyOf", JsonArray filters):
                        Expand(filters);
                        written[field.Key] = new JsonObject { ["filters"] = filters.DeepClone() };
                        break;
                    default:
                        Expand(field.Value);
                        break;
                }
            }
        }
    }

    private static string OperatorName(string word)
    {
        string name = s_signs.GetValueOrDefault(word, word.ToUpperInvariant());
        return name.StartsWith(OperatorPrefix, StringComparison.Ordinal) ? name : OperatorPrefix + name;
    }

    private static JsonObject Scalar(JsonValue value) => new()
    {
        [value.GetValueKind() switch
        {
            JsonValueKind.Number => "number",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            _ => "text",
        }] = value.DeepClone(),
    };
}
