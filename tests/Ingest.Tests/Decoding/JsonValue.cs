using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Enum = System.Enum;

namespace Ingest.Tests.Decoding;

/// <summary>JSON in one spelling: keys in order, numbers as doubles; of a text, and of a parsed message.</summary>
internal static class JsonValue
{
    public static string Of(byte[] json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 1000 });
        return Of(document.RootElement);
    }

    private static string Of(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => Object(element.EnumerateObject().Select(p => (p.Name, Of(p.Value)))),
        JsonValueKind.Array => $"[{string.Join(",", element.EnumerateArray().Select(Of))}]",
        JsonValueKind.String => Text(element.GetString()!),
        JsonValueKind.Number => Number(element.GetDouble()),
        _ => element.GetRawText(),
    };

    public static string List(IEnumerable messages) => $"[{string.Join(",", messages.Cast<IMessage>().Select(Of))}]";

    /// <summary>What protobuf's JSON mapping makes of a message, with the fields' own names.</summary>
    public static string Of(IMessage message) => message switch
    {
        // Out of range has no JSON: the row is rejected, and what is written does not matter.
        Timestamp t => TimestampRange.Fits(t) ? Text(JsonFormatter.Default.Format(t).Trim('"')) : "null",
        Duration d => TimestampRange.Fits(d) ? Text(JsonFormatter.Default.Format(d).Trim('"')) : "null",
        Struct s => Object(s.Fields.Select(f => (f.Key, Of(f.Value)))),
        ListValue l => List(l.Values),
        Value v => v.KindCase switch
        {
            Value.KindOneofCase.NumberValue => Number(v.NumberValue),
            Value.KindOneofCase.StringValue => Text(v.StringValue),
            Value.KindOneofCase.BoolValue => v.BoolValue ? "true" : "false",
            Value.KindOneofCase.StructValue => Of(v.StructValue),
            Value.KindOneofCase.ListValue => Of(v.ListValue),
            _ => "null",
        },
        _ => Object(message.Descriptor.Fields.InDeclarationOrder()
            .Select(f => (f.Name, Field(message, f))).Where(f => f.Item2 is not null)!),
    };

    private static string? Field(IMessage message, FieldDescriptor field)
    {
        var value = field.Accessor.GetValue(message);
        if (field.IsMap)
        {
            var map = (IDictionary)value;
            var valueField = field.MessageType.FindFieldByNumber(2);
            return map.Count == 0 ? null : Object(map.Keys.Cast<object>().Select(
                key => (Convert.ToString(key, CultureInfo.InvariantCulture) is var text && key is bool
                    ? text!.ToLowerInvariant() : text!, Single(map[key]!, valueField))));
        }

        if (field.IsRepeated)
        {
            var list = (IList)value;
            return list.Count == 0
                ? null
                : $"[{string.Join(",", list.Cast<object>().Select(item => Single(item, field)))}]";
        }

        if (field.HasPresence ? !field.Accessor.HasValue(message) : IsDefault(value))
        {
            return null;
        }

        return Single(value, field);
    }

    private static string Single(object value, FieldDescriptor field) => value switch
    {
        bool b => b ? "true" : "false",
        string s => Text(s),
        ByteString b => Text(b.ToBase64()),
        float f => Number(float.IsFinite(f) ? Shortest(f) : f),
        double d => Number(d),
        long or ulong => Text(Convert.ToString(value, CultureInfo.InvariantCulture)!),
        IMessage message => Of(message),
        Enum when field.EnumType.FullName == "google.protobuf.NullValue" => "null",
        Enum e => field.EnumType.FindValueByNumber(Convert.ToInt32(e, CultureInfo.InvariantCulture)) is { } named
            ? Text(named.Name)
            : Number(Convert.ToInt32(e, CultureInfo.InvariantCulture)),
        _ => Number(Convert.ToDouble(value, CultureInfo.InvariantCulture)),
    };

    // -0 is not the default: its bits are not zero.
    private static bool IsDefault(object value) => value switch
    {
        string s => s.Length == 0,
        ByteString b => b.Length == 0,
        double d => BitConverter.DoubleToInt64Bits(d) == 0,
        float f => BitConverter.SingleToInt32Bits(f) == 0,
        bool b => !b,
        Enum e => Convert.ToInt32(e, CultureInfo.InvariantCulture) == 0,
        _ => Convert.ToDecimal(value, CultureInfo.InvariantCulture) == 0,
    };

    private static double Shortest(float number) => double.Parse(
        number.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static string Number(double number) => double.IsFinite(number)
        ? number.ToString("R", CultureInfo.InvariantCulture)
        : Text(double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");

    private static string Text(string text) => new StringBuilder("\"").Append(text).Append('"').ToString();

    private static string Object(IEnumerable<(string Name, string Value)> members) =>
        $"{{{string.Join(",", members.Select(m => $"{Text(m.Name)}:{m.Value}").Order(StringComparer.Ordinal))}}}";
}
