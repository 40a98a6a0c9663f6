using Google.Protobuf.Reflection;

namespace Ingest.Schema;

/// <summary>
/// Which changes of a table are taken: those that only add. Then rows of old and new senders mean the same, and every
/// column that the store has stays what it is.
/// </summary>
internal static class SchemaEvolution
{
    /// <summary>Why a version cannot follow another, in words; null when it can.</summary>
    public static string? Refusal(TableSchema from, TableSchema to)
    {
        string table = $"table {from.Name}";
        if (from.Message.FullName != to.Message.FullName)
        {
            return $"{table}: was declared by message {from.Message.FullName}, now by {to.Message.FullName}";
        }

        if (!from.OrderBy.SequenceEqual(to.OrderBy))
        {
            return $"{table}: order_by was ({string.Join(", ", from.OrderBy)}), now ({string.Join(", ", to.OrderBy)})";
        }

        if (from.PartitionBy != to.PartitionBy)
        {
            return $"{table}: partition_by was '{from.PartitionBy}', now '{to.PartitionBy}'";
        }

        if (from.TtlDays != to.TtlDays)
        {
            return $"{table}: ttl_days was {from.TtlDays}, now {to.TtlDays}";
        }

        string? reason = OfFields(from.Message, to.Message, "", []) ?? OfColumns(from, to) ?? OfRequired(from, to);
        return reason is null ? null : $"{table}: {reason}";
    }

    private static string? OfColumns(TableSchema from, TableSchema to)
    {
        var columns = to.Columns.ToDictionary(c => c.Name, StringComparer.Ordinal);
        foreach (ColumnSchema old in from.Columns)
        {
            if (!columns.TryGetValue(old.Name, out ColumnSchema? column))
            {
                return $"column {old.Name} is gone";
            }

            if ((old.Type, old.NativeType) != (column.Type, column.NativeType))
            {
                return $"column {old.Name} was {old.Type}, now {column.Type}";
            }

            if (old.Codec != column.Codec)
            {
                return $"column {old.Name} had the codec '{old.Codec}', now '{column.Codec}'";
            }
        }

        return null;
    }

    // Rows of senders that do not know the field would all be rejected.
    private static string? OfRequired(TableSchema from, TableSchema to)
    {
        var known = Nodes(from.Fields).Select(n => n.Path).ToHashSet(StringComparer.Ordinal);
        FieldNode? demanded = Nodes(to.Fields).FirstOrDefault(n => n.Rules?.Required == true && !known.Contains(n.Path));
        return demanded is null ? null : $"field {demanded.Path} is new and required, which no sender so far can satisfy";
    }

    private static IEnumerable<FieldNode> Nodes(IEnumerable<FieldNode> fields) =>
        fields.SelectMany(field => Nodes(field.Children).Prepend(field));

    private static string? OfFields(
        MessageDescriptor from, MessageDescriptor to, string path, HashSet<string> entered)
    {
        // A message that contains itself, or is used twice, is compared once.
        if (!entered.Add(from.FullName))
        {
            return null;
        }

        foreach (FieldDescriptor old in from.Fields.InFieldNumberOrder())
        {
            string name = path + old.Name;
            FieldDescriptor? field = to.FindFieldByNumber(old.FieldNumber);
            string? reason = field is null
                ? $"field {name} = {old.FieldNumber} is gone"
                : OfField(old, field, name) ?? OfType(old, field, name, entered);
            if (reason is not null)
            {
                return reason;
            }
        }

        return null;
    }

    private static string? OfField(FieldDescriptor old, FieldDescriptor field, string name)
    {
        string was = Describe(old);
        string now = Describe(field);
        return was == now ? null : $"field {name} = {old.FieldNumber} was {was}, now {now}";
    }

    private static string? OfType(FieldDescriptor old, FieldDescriptor field, string name, HashSet<string> entered)
    {
        if (old.FieldType == FieldType.Enum)
        {
            foreach (EnumValueDescriptor value in old.EnumType.Values)
            {
                string? now = field.EnumType.FindValueByNumber(value.Number)?.Name;
                if (now != value.Name && field.EnumType.Values.All(v => (v.Name, v.Number) != (value.Name, value.Number)))
                {
                    return $"field {name}: value {value.Name} = {value.Number} of {old.EnumType.FullName} is "
                        + (now is null ? "gone" : $"now {now}");
                }
            }

            return null;
        }

        return old.FieldType == FieldType.Message
            ? OfFields(old.MessageType, field.MessageType, name + ".", entered)
            : null;
    }

    private static string Describe(FieldDescriptor field)
    {
        string type = field.FieldType switch
        {
            FieldType.Message or FieldType.Group => field.MessageType.FullName,
            FieldType.Enum => field.EnumType.FullName,
            _ => field.FieldType.ToString().ToLowerInvariant(),
        };
        string label = field.IsRepeated ? "repeated " : field.ToProto().Proto3Optional ? "optional " : "";
        return label + type + (field.RealContainingOneof is { } oneof ? $" in oneof {oneof.Name}" : "");
    }
}
