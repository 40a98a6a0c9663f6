using System.Text.Json.Nodes;

namespace Ingest.Server.Http;

/// <summary>What <c>/health</c> says of the tables of <c>Ingest:Schemas</c>.</summary>
internal static class HealthOfSchemas
{
    /// <summary>The tables, each with its fingerprint.</summary>
    public static JsonObject Tables(SchemaStatus status) =>
        new(status.Tables.Select(table => KeyValuePair.Create(table.Key, (JsonNode?)table.Value)));

    /// <summary>What was refused, and what of the log belongs to no table; null when there is neither.</summary>
    public static string? Fault(SchemaStatus status, IReadOnlyDictionary<string, int> unclaimed)
    {
        IEnumerable<string> kept = unclaimed.Select(table =>
            $"the log keeps {table.Value} segments of table {table.Key}, which no schema declares");
        string text = string.Join("; ", status.Refused.Concat(kept));
        return text.Length == 0 ? null : text + ".";
    }
}
