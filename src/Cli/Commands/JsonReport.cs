using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ingest.Cli.Commands;

/// <summary>Reports as JSON, for programs: names in camelCase, enums by name, ids of 64 bits as strings.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(), new IdConverter() },
    };

    /// <summary>Writes a report.</summary>
    public static void Write(CommandConsole console, object report) =>
        console.Out.WriteLine(JsonSerializer.Serialize(report, Options));

    // Most readers of JSON keep 53 bits of a number.
    private sealed class IdConverter : JsonConverter<ulong>
    {
        public override ulong Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            ulong.Parse(reader.GetString()!, CultureInfo.InvariantCulture);

        public override void Write(Utf8JsonWriter writer, ulong value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
    }
}
