using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Ingest.Columns;

namespace Ingest.Log.Inspection;

/// <summary>Rows of a block as texts for people, whatever their schema was.</summary>
internal static class BlockText
{
    /// <summary>The values of a row by column.</summary>
    public static IReadOnlyDictionary<string, string> Row(BlockContent block, int row)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (BlockColumn column in block.Columns)
        {
            values[column.Name] = Text(column.Type, column.Values, row);
        }

        return values;
    }

    private static string Text(string type, BlockValues values, int row)
    {
        if (values is ListValues list)
        {
            (int first, int end) = list.Range(row);
            string[] inside = Inside(type);
            var items = new List<string>();
            for (int i = first; i < end; i++)
            {
                items.Add(Text(inside[0], list.Items, i)
                    + (list.Values is null ? "" : ": " + Text(inside[1], list.Values, i)));
            }

            string joined = string.Join(", ", items);
            return list.Values is null ? $"[{joined}]" : $"{{{joined}}}";
        }

        if (values.IsNull(row))
        {
            return "NULL";
        }

        while (type.StartsWith("LowCardinality(", StringComparison.Ordinal)
            || type.StartsWith("Nullable(", StringComparison.Ordinal))
        {
            type = Inside(type)[0];
        }

        return Single(type, values.Value(row));
    }

    private static string Single(string type, ReadOnlySpan<byte> value) => type switch
    {
        "String" => Encoding.UTF8.GetString(value),
        "Bool" => value[0] != 0 ? "true" : "false",
        "UInt8" => value[0].ToString(CultureInfo.InvariantCulture),
        "Int32" => BinaryPrimitives.ReadInt32LittleEndian(value).ToString(CultureInfo.InvariantCulture),
        "UInt32" => BinaryPrimitives.ReadUInt32LittleEndian(value).ToString(CultureInfo.InvariantCulture),
        "Int64" => BinaryPrimitives.ReadInt64LittleEndian(value).ToString(CultureInfo.InvariantCulture),
        "UInt64" => BinaryPrimitives.ReadUInt64LittleEndian(value).ToString(CultureInfo.InvariantCulture),
        "Float32" => BinaryPrimitives.ReadSingleLittleEndian(value).ToString(CultureInfo.InvariantCulture),
        "Float64" => BinaryPrimitives.ReadDoubleLittleEndian(value).ToString(CultureInfo.InvariantCulture),
        _ when type.StartsWith("DateTime64(6", StringComparison.Ordinal) => Moment(
            BinaryPrimitives.ReadInt64LittleEndian(value)),
        _ => Convert.ToHexString(value),
    };

    // Damaged bytes may say any time.
    private static string Moment(long micros) => Math.Abs(micros / 1e6) < 6e10
        ? DateTime.UnixEpoch.AddMicroseconds(micros).ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture)
        : $"{micros} us";

    // Keys of maps have no comma in their types.
    private static string[] Inside(string type)
    {
        string inside = type[(type.IndexOf('(', StringComparison.Ordinal) + 1)..^1];
        return type.StartsWith("Map(", StringComparison.Ordinal) ? inside.Split(", ", 2) : [inside];
    }
}
