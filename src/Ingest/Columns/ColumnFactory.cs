using System.Text;
using Google.Protobuf.Reflection;
using Ingest.Schema;

namespace Ingest.Columns;

/// <summary>Makes the column for a field.</summary>
internal static class ColumnFactory
{
    /// <summary>Enum numbers below this one find their names by index.</summary>
    private const int NamedNumbers = 256;

    public static Column Create(FieldNode node) => node.Shape switch
    {
        FieldShape.Single => Values(node, nullable: false),
        FieldShape.Optional => node.Kind is ValueKind.Enum || node.LowCardinality
            ? Values(node, nullable: true)
            : new NullableColumn(Values(node, nullable: false)),
        FieldShape.Repeated => new ArrayColumn(Values(node, nullable: false)),
        FieldShape.Map => new ArrayColumn(Keys(node), Values(node, nullable: false)),
        FieldShape.Struct => new ArrayColumn(new LowCardinalityColumn(nullable: false), new StringColumn()),
        FieldShape.JsonObject or FieldShape.JsonArray => new StringColumn(),
        _ => throw new ArgumentOutOfRangeException(nameof(node), node.Shape, "has no column of its own"),
    };

    private static Column Keys(FieldNode node) => node.KeyKind is ValueKind.String
        ? new LowCardinalityColumn(nullable: false)
        : new FixedColumn(WidthOf(node.KeyKind));

    private static Column Values(FieldNode node, bool nullable) => node.Kind switch
    {
        ValueKind.Enum => new LowCardinalityColumn(nullable, Names(EnumOf(node))),
        ValueKind.String or ValueKind.Bytes => node.LowCardinality
            ? new LowCardinalityColumn(nullable)
            : new StringColumn(),
        ValueKind.Message => new StringColumn(),
        _ => new FixedColumn(WidthOf(node.Kind)),
    };

    private static EnumDescriptor EnumOf(FieldNode node) => node.Shape is FieldShape.Map
        ? node.Field.MessageType.FindFieldByNumber(2).EnumType
        : node.Field.EnumType;

    private static byte[][] Names(EnumDescriptor type)
    {
        int highest = type.Values.Where(v => v.Number is >= 0 and < NamedNumbers).Max(v => (int?)v.Number) ?? -1;
        var names = new byte[highest + 1][];
        foreach (EnumValueDescriptor value in type.Values)
        {
            // Of aliases the first name stands, as protobuf's JSON has it.
            if (value.Number >= 0 && value.Number <= highest && names[value.Number] is null)
            {
                names[value.Number] = Encoding.UTF8.GetBytes(TypeNames.OfEnumValue(type, value));
            }
        }

        return names;
    }

    private static int WidthOf(ValueKind kind) => kind switch
    {
        ValueKind.Bool => 1,
        ValueKind.Int32 or ValueKind.UInt32 or ValueKind.SInt32 or ValueKind.Fixed32 or ValueKind.SFixed32
            or ValueKind.Float => 4,
        _ => 8,
    };
}
