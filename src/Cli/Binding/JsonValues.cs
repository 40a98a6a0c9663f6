using System.Text.Json;
using Google.Protobuf.WellKnownTypes;

namespace Ingest.Cli.Binding;

/// <summary>Reads any JSON value as protobuf's <see cref="Value"/>.</summary>
internal static class JsonValues
{
    /// <summary>Reads the value that the reader stands at, and stays at its last token.</summary>
    public static Value Read(ref Utf8JsonReader json)
    {
        switch (json.TokenType)
        {
            case JsonTokenType.StartObject:
                var fields = new Struct();
                while (json.Read() && json.TokenType != JsonTokenType.EndObject)
                {
                    var name = json.GetString()!;
                    json.Read();
                    fields.Fields[name] = Read(ref json);
                }
                return Value.ForStruct(fields);
            case JsonTokenType.StartArray:
                var list = new ListValue();
                while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                {
                    list.Values.Add(Read(ref json));
                }
                return new Value { ListValue = list };
            case JsonTokenType.String:
                return Value.ForString(json.GetString());
            case JsonTokenType.Number:
                return Value.ForNumber(json.GetDouble());
            case JsonTokenType.True:
            case JsonTokenType.False:
                return Value.ForBool(json.GetBoolean());
            default:
                return Value.ForNull();
        }
    }
}
