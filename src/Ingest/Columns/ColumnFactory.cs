using Google.Protobuf.Reflection;
using Ingest.Schema;

namespace Ingest.Columns;

/// <summary>Makes the column for a field.</summary>
internal static class ColumnFactory
{
    public static Column Create(FieldNode node) => node.Shape switch
    {
        FieldShape.Single => Values(node, nullable: false),
        FieldShape.Optional => node.Kind is ValueKind.Enum || node.LowCardinality
            ? Values(node, nullable: true)
            : new NullableColumn(Values(node, nullable: false)),
        FieldShape.Repeated => new ArrayColumn(Values(node, nullable: false)),
        FieldShape.Map => new ArrayColumn(Keys(node), Values(node, nullable: false)),
        FieldShape.Struct => new ArrayColumn(new LowCardinalityColumn(nullable: false), new StringColumn())
        {
            Names = new PropertyNames(),
        },
        FieldShape.JsonObject or FieldShape.JsonArray => new StringColumn(),
        _ => throw new ArgumentOutOfRangeException(nameof(node), node.Shape, "has no column of its own"),
    };

    private static Column Keys(FieldNode node) => node.KeyKind is ValueKind.String
        ? new LowCardinalityColumn(nullable: false)
        : new FixedColumn(WidthOf(node.KeyKind));

    private static Column Values(FieldNode node, bool nullable) => node.Kind switch
    {
        ValueKind.Enum => new LowCardinalityColumn(nullable, new EnumNames(EnumOf(node))),
        ValueKind.String or ValueKind.Bytes => node.LowCardinality
            ? new LowCardinalityColumn(nullable)
            : new StringColumn(),
        ValueKind.Message => new StringColumn(),
        _ => new FixedColumn(WidthOf(node.Kind)),
    };

    private static EnumDescriptor EnumOf(FieldNode node) => node.Shape is FieldShape.Map
        ? node.Field.MessageType.FindFieldByNumber(2).EnumType
        : node.Field.EnumType;

    private static int WidthOf(ValueKind kind) => kind switch
    {
        ValueKind.Bool => 1,
        ValueKind.Int32 or ValueKind.UInt32 or ValueKind.SInt32 or ValueKind.Fixed32 or ValueKind.SFixed32
            or ValueKind.Float => 4,
        _ => 8,
    };
}
