using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Ingest.Schema;

/// <summary>The table of wire.md from protobuf types to ClickHouse types.</summary>
internal static class TypeNames
{
    public const string Json = "String";
    public const string StructMap = "Map(LowCardinality(String), String)";

    public static ValueKind KindOf(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Bool => ValueKind.Bool,
        FieldType.Int32 => ValueKind.Int32,
        FieldType.Int64 => ValueKind.Int64,
        FieldType.UInt32 => ValueKind.UInt32,
        FieldType.UInt64 => ValueKind.UInt64,
        FieldType.SInt32 => ValueKind.SInt32,
        FieldType.SInt64 => ValueKind.SInt64,
        FieldType.Fixed32 => ValueKind.Fixed32,
        FieldType.Fixed64 => ValueKind.Fixed64,
        FieldType.SFixed32 => ValueKind.SFixed32,
        FieldType.SFixed64 => ValueKind.SFixed64,
        FieldType.Float => ValueKind.Float,
        FieldType.Double => ValueKind.Double,
        FieldType.String => ValueKind.String,
        FieldType.Bytes => ValueKind.Bytes,
        FieldType.Enum => ValueKind.Enum,
        FieldType.Message when field.MessageType.FullName == Timestamp.Descriptor.FullName => ValueKind.Timestamp,
        FieldType.Message when field.MessageType.FullName == Duration.Descriptor.FullName => ValueKind.Duration,
        FieldType.Message => ValueKind.Message,
        _ => throw new SchemaException($"field {field.FullName}: groups have no column"),
    };

    public static string Of(ValueKind kind, bool lowCardinality) => kind switch
    {
        ValueKind.Bool => "Bool",
        ValueKind.Int32 or ValueKind.SInt32 or ValueKind.SFixed32 => "Int32",
        ValueKind.Int64 or ValueKind.SInt64 or ValueKind.SFixed64 or ValueKind.Duration => "Int64",
        ValueKind.UInt32 or ValueKind.Fixed32 => "UInt32",
        ValueKind.UInt64 or ValueKind.Fixed64 => "UInt64",
        ValueKind.Float => "Float32",
        ValueKind.Double => "Float64",
        ValueKind.String or ValueKind.Bytes => lowCardinality ? "LowCardinality(String)" : "String",
        ValueKind.Enum => "LowCardinality(String)",
        ValueKind.Timestamp => "DateTime64(6, 'UTC')",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no single column"),
    };

    public static string Nullable(string type) => type == "LowCardinality(String)"
        ? "LowCardinality(Nullable(String))"
        : $"Nullable({type})";

    /// <summary>Name of an enum value in a column: without the enum's prefix, <c>TO_PICKUP</c>.</summary>
    public static string OfEnumValue(EnumDescriptor type, EnumValueDescriptor value)
    {
        string prefix = ScreamingSnake(type.Name) + "_";
        // A name that begins with a digit would read as an unknown number.
        return value.Name.Length > prefix.Length && value.Name.StartsWith(prefix, StringComparison.Ordinal)
            && !char.IsAsciiDigit(value.Name[prefix.Length])
            ? value.Name[prefix.Length..]
            : value.Name;
    }

    private static string ScreamingSnake(string name)
    {
        var text = new System.Text.StringBuilder(name.Length + 8);
        for (int i = 0; i < name.Length; i++)
        {
            bool starts = char.IsUpper(name[i]) && i > 0
                && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (starts)
            {
                text.Append('_');
            }

            text.Append(char.ToUpperInvariant(name[i]));
        }

        return text.ToString();
    }
}
