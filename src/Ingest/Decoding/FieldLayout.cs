using System.Text.Json;
using Google.Protobuf.Reflection;
using Ingest.Schema;

namespace Ingest.Decoding;

/// <summary>A field of a message that is checked, or written as JSON, without columns of its own.</summary>
internal sealed class FieldLayout
{
    public required FieldDescriptor Field { get; init; }

    /// <summary>Place among the fields of its message, by number.</summary>
    public required int Index { get; init; }

    /// <summary>Name in JSON: the field's own, not in lowerCamelCase.</summary>
    public required JsonEncodedText Name { get; init; }

    public required ValueKind Kind { get; init; }

    /// <summary>Wire type of one value.</summary>
    public required uint WireType { get; init; }

    /// <summary>The message, or the entry of a map, that a value is.</summary>
    public MessageLayout? Message { get; init; }

    /// <summary>Places of the other members of the oneof, which a value replaces.</summary>
    public int[] Siblings { get; set; } = [];

    public bool IsMap => Field.IsMap;

    public bool IsRepeated => Field.IsRepeated;

    /// <summary>Whether values of this wire type are a packed list.</summary>
    public bool IsPacked(uint tag) => (tag & 7) == Wire.Len && WireType != Wire.Len;
}
