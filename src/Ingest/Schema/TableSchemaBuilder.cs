using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Schema;

/// <summary>Walks a message's descriptor and makes its table.</summary>
internal sealed class TableSchemaBuilder(MessageDescriptor message)
{
    private const string DefaultPartition = "toYYYYMM(received_at)";

    private static readonly (string Name, string Type, string NativeType, string Default)[] s_systemColumns =
    [
        (TableSchema.ProducerIdColumn, "LowCardinality(String)", "LowCardinality(String)", ""),
        // One dictionary entry and a byte a row instead of eight bytes a row; the engine casts.
        (TableSchema.SegmentIdColumn, "UInt64", "LowCardinality(UInt64)", ""),
        (TableSchema.ReceivedAtColumn, "DateTime64(3, 'UTC')", "",
            "fromUnixTimestamp64Milli(toInt64(bitShiftRight(segment_id, 22)), 'UTC')"),
    ];

    // In tables with a partition of their own, where an INSERT may land in part; below a million, so T64 drops the rest.
    private static readonly ColumnSchema s_segmentRow =
        new(TableSchema.SegmentRowColumn, "UInt32", "T64, LZ4", "", "UInt32");

    private readonly List<ColumnSchema> _columns = [];
    private readonly Dictionary<string, string> _owners = [];

    public TableSchema Build(IReadOnlyList<TableSchema> earlier)
    {
        TableOptions options = message.GetOptions()?.GetExtension(OptionsExtensions.Table)
            ?? throw new SchemaException($"message {message.FullName} has no (ingest.v1.table) option");
        if (!IsIdentifier(options.Name))
        {
            throw new SchemaException(
                $"message {message.FullName}: table name '{options.Name}' is not a letter followed by letters, digits "
                + "and underscores");
        }

        foreach (var column in s_systemColumns)
        {
            _owners.Add(column.Name, "the column that every table has");
        }

        _owners.Add(s_segmentRow.Name, "the column that tables with a partition of their own have");

        if (options.TtlDays < 0)
        {
            throw new SchemaException($"message {message.FullName}: ttl_days is negative");
        }

        List<FieldNode> fields = Walk(message, "", "", [message.FullName]);
        if (_columns.Count == 0)
        {
            throw new SchemaException($"message {message.FullName}: a table needs a column");
        }

        if (options.PartitionBy.Length > 0)
        {
            _columns.Add(s_segmentRow);
        }

        _columns.AddRange(s_systemColumns.Select(c => new ColumnSchema(c.Name, c.Type, "", c.Default, c.NativeType)));
        foreach (string key in options.OrderBy)
        {
            ColumnSchema column = _columns.Find(c => c.Name == key) ?? throw new SchemaException(
                $"message {message.FullName}: order_by names '{key}', which is no column");
            if (column.Type.Contains("Nullable(", StringComparison.Ordinal)
                || column.Type.StartsWith("Map(", StringComparison.Ordinal))
            {
                throw new SchemaException(
                    $"message {message.FullName}: order_by names '{key}', but {column.Type} cannot be a sort key");
            }
        }

        return new TableSchema(
            options.Name, message, _columns, [.. options.OrderBy],
            options.PartitionBy.Length == 0 ? DefaultPartition : options.PartitionBy, options.TtlDays, fields)
        {
            Earlier = earlier,
        };
    }

    private List<FieldNode> Walk(MessageDescriptor type, string path, string prefix, HashSet<string> ancestors)
    {
        var nodes = new List<FieldNode>();
        foreach (FieldDescriptor field in type.Fields.InDeclarationOrder())
        {
            ColumnOptions? options = field.GetOptions()?.GetExtension(OptionsExtensions.Column);
            if (options?.Skip == true)
            {
                nodes.Add(SkippedNode(field, options, path + field.Name));
            }
            else
            {
                nodes.Add(Node(field, options ?? new ColumnOptions(), path + field.Name, prefix, ancestors));
            }
        }

        return nodes;
    }

    private FieldNode SkippedNode(FieldDescriptor field, ColumnOptions options, string path)
    {
        if (options.Rules is not null)
        {
            throw Fault(path, "is left out of the table, so rules mean nothing");
        }

        ValueKind kind = TypeNames.KindOf(field);
        return new FieldNode { Field = field, Shape = FieldShape.Skipped, Kind = kind, Path = path };
    }

    private FieldNode Node(
        FieldDescriptor field, ColumnOptions options, string path, string prefix, HashSet<string> ancestors)
    {
        string name = prefix + (options.Name.Length == 0 ? field.Name : options.Name);
        if (field.IsMap)
        {
            RefuseInline(path, options);
            return MapNode(field, options, path, name);
        }

        ValueKind kind = TypeNames.KindOf(field);
        if (kind == ValueKind.Message)
        {
            return MessageNode(field, options, path, name, prefix, ancestors);
        }

        RefuseInline(path, options);

        RefuseLowCardinality(path, options, kind);
        string type = TypeNames.Of(kind, options.LowCardinality);
        FieldShape shape = FieldShape.Single;
        if (field.IsRepeated)
        {
            (shape, type) = (FieldShape.Repeated, $"Array({type})");
        }
        else if (HasExplicitPresence(field, kind))
        {
            (shape, type) = (FieldShape.Optional, TypeNames.Nullable(type));
        }

        return Leaf(field, shape, kind, path, name, type, options);
    }

    private FieldNode MapNode(FieldDescriptor field, ColumnOptions options, string path, string name)
    {
        FieldDescriptor key = field.MessageType.FindFieldByNumber(1);
        FieldDescriptor value = field.MessageType.FindFieldByNumber(2);
        ValueKind keyKind = TypeNames.KindOf(key);
        ValueKind valueKind = TypeNames.KindOf(value);
        RefuseLowCardinality(path, options, valueKind);
        string valueType = valueKind == ValueKind.Message
            ? TypeNames.Json
            : TypeNames.Of(valueKind, options.LowCardinality);
        // A Bool is no key for ClickHouse; its bytes are those of a UInt8.
        string keyType = keyKind == ValueKind.Bool ? "UInt8" : TypeNames.Of(keyKind, lowCardinality: true);
        string type = $"Map({keyType}, {valueType})";
        return Leaf(field, FieldShape.Map, valueKind, path, name, type, options, keyKind);
    }

    private FieldNode MessageNode(
        FieldDescriptor field, ColumnOptions options, string path, string name, string prefix, HashSet<string> ancestors)
    {
        MessageDescriptor type = field.MessageType;
        RefuseLowCardinality(path, options, ValueKind.Message);
        if (field.IsRepeated)
        {
            RefuseInline(path, options);
            return Leaf(field, FieldShape.JsonArray, ValueKind.Message, path, name, TypeNames.Json, options);
        }

        if (type.FullName == Struct.Descriptor.FullName)
        {
            RefuseInline(path, options);
            return Leaf(field, FieldShape.Struct, ValueKind.Message, path, name, TypeNames.StructMap, options);
        }

        // A message that contains itself has no end of columns; a Value or a ListValue has no fixed ones.
        if (type.FullName == Value.Descriptor.FullName || type.FullName == ListValue.Descriptor.FullName
            || !ancestors.Add(type.FullName))
        {
            RefuseInline(path, options);
            return Leaf(field, FieldShape.JsonObject, ValueKind.Message, path, name, TypeNames.Json, options);
        }

        ColumnRulesCheck.Refuse(options.Rules, FieldShape.Flattened, ValueKind.Message, reason => Fault(path, reason));
        List<FieldNode> children = Walk(type, path + ".", options.Inline ? prefix : name + "_", ancestors);
        ancestors.Remove(type.FullName);
        return new FieldNode
        {
            Field = field,
            Shape = FieldShape.Flattened,
            Kind = ValueKind.Message,
            Path = path,
            Rules = options.Rules,
            Children = children,
        };
    }

    private FieldNode Leaf(
        FieldDescriptor field, FieldShape shape, ValueKind kind, string path, string name, string type,
        ColumnOptions options, ValueKind keyKind = default)
    {
        if (!IsColumnName(name))
        {
            throw Fault(path, $"becomes column '{name}', which is not letters, digits and underscores");
        }

        ColumnRulesCheck.Refuse(options.Rules, shape, kind, reason => Fault(path, reason));
        if (!_owners.TryAdd(name, $"field {path}"))
        {
            throw new SchemaException(
                $"message {message.FullName}: field {path} and {_owners[name]} both become column '{name}'; "
                + "rename one with (ingest.v1.column).name");
        }

        string stored = options.Type.Length == 0 ? type : options.Type;
        _columns.Add(new ColumnSchema(name, stored, options.Codec, "", type));
        return new FieldNode
        {
            Field = field,
            Shape = shape,
            Kind = kind,
            KeyKind = keyKind,
            Path = path,
            Column = _columns.Count - 1,
            Type = type,
            LowCardinality = options.LowCardinality || kind == ValueKind.Enum,
            Rules = options.Rules,
        };
    }

    // proto3 `optional`, proto2 singular fields, and members of a oneof; a Timestamp always knows whether it is there,
    // so there only the keyword asks for NULL.
    private static bool HasExplicitPresence(FieldDescriptor field, ValueKind kind) =>
        kind is ValueKind.Timestamp or ValueKind.Duration
            ? field.ToProto().Proto3Optional || field.RealContainingOneof is not null
            : field.HasPresence;

    private static bool IsIdentifier(string name) =>
        name.Length > 0 && char.IsAsciiLetter(name[0])
        && name.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private static bool IsColumnName(string name) => IsIdentifier(name.TrimStart('_'));

    private void RefuseLowCardinality(string path, ColumnOptions options, ValueKind kind)
    {
        if (options.LowCardinality && kind is not (ValueKind.String or ValueKind.Bytes or ValueKind.Enum))
        {
            throw Fault(path, "is neither string nor bytes, so low_cardinality means nothing");
        }
    }

    private void RefuseInline(string path, ColumnOptions options)
    {
        if (options.Inline)
        {
            throw Fault(path, "is no single message whose fields become columns, so inline means nothing");
        }
    }

    private SchemaException Fault(string path, string reason) =>
        new($"message {message.FullName}: field {path} {reason}");
}
