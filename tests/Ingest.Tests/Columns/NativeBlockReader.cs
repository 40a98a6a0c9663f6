using System.Buffers.Binary;
using System.Text;

namespace Ingest.Tests.Columns;

/// <summary>
/// Reads a block in ClickHouse's Native format, revision 0, back into values. Written from the format's description
/// alone and slow on purpose: it shares nothing with the columns that it is there to check.
/// </summary>
/// <remarks>
/// Values are null, <see cref="byte"/>[] for strings, numbers of the column's type, lists of values for arrays, and
/// lists of pairs for maps.
/// </remarks>
internal sealed class NativeBlockReader
{
    private readonly byte[] _bytes;
    private int _at;

    private NativeBlockReader(byte[] bytes) => _bytes = bytes;

    /// <summary>Reads the one block that the bytes are.</summary>
    public static NativeBlock Read(byte[] bytes) => Assert.Single(ReadAll(bytes));

    /// <summary>Reads block after block, as the engine answers.</summary>
    public static List<NativeBlock> ReadAll(byte[] bytes)
    {
        var reader = new NativeBlockReader(bytes);
        var blocks = new List<NativeBlock>();
        while (reader._at < bytes.Length)
        {
            blocks.Add(ReadBlock(reader));
        }

        return blocks;
    }

    private static NativeBlock ReadBlock(NativeBlockReader reader)
    {
        var columns = (int)reader.Varint();
        var rows = (int)reader.Varint();
        var block = new NativeBlock(rows, []);
        for (var i = 0; i < columns; i++)
        {
            var name = reader.Text();
            var type = reader.Text();
            object?[] values = [];
            if (rows > 0)
            {
                reader.Prefix(type);
                values = reader.Values(type, rows);
            }

            block.Columns.Add(new NativeColumn(name, type, values));
        }

        return block;
    }

    private static string Inside(string type) => type[(type.IndexOf('(', StringComparison.Ordinal) + 1)..^1];

    private static (string Key, string Value) MapTypes(string type)
    {
        var inside = Inside(type);
        var depth = 0;
        for (var i = 0; i < inside.Length; i++)
        {
            depth += inside[i] == '(' ? 1 : inside[i] == ')' ? -1 : 0;
            if (inside[i] == ',' && depth == 0)
            {
                return (inside[..i], inside[(i + 2)..]);
            }
        }

        throw new FormatException(type);
    }

    private void Prefix(string type)
    {
        if (type.StartsWith("LowCardinality(", StringComparison.Ordinal))
        {
            Assert.Equal(1, BinaryPrimitives.ReadInt64LittleEndian(Take(8)));
        }
        else if (type.StartsWith("Array(", StringComparison.Ordinal))
        {
            Prefix(Inside(type));
        }
        else if (type.StartsWith("Map(", StringComparison.Ordinal))
        {
            var (key, value) = MapTypes(type);
            Prefix(key);
            Prefix(value);
        }
    }

    private object?[] Values(string type, int rows)
    {
        if (rows == 0)
        {
            return [];
        }

        if (type.StartsWith("LowCardinality(", StringComparison.Ordinal))
        {
            return Dictionary(Inside(type), rows);
        }

        if (type.StartsWith("Nullable(", StringComparison.Ordinal))
        {
            var nulls = Take(rows).ToArray();
            Assert.All(nulls, n => Assert.InRange(n, 0, 1));
            return [.. Values(Inside(type), rows).Select((v, i) => nulls[i] == 1 ? null : v)];
        }

        if (type.StartsWith("Array(", StringComparison.Ordinal))
        {
            var ends = Ends(rows);
            var items = Values(Inside(type), ends[^1]);
            return [.. ends.Select((end, i) => (object)items[(i == 0 ? 0 : ends[i - 1])..end].ToList())];
        }

        if (type.StartsWith("Map(", StringComparison.Ordinal))
        {
            var (keyType, valueType) = MapTypes(type);
            var ends = Ends(rows);
            var keys = Values(keyType, ends[^1]);
            var values = Values(valueType, ends[^1]);
            var pairs = keys.Zip(values, (k, v) => (k, v)).ToArray();
            return [.. ends.Select((end, i) => (object)pairs[(i == 0 ? 0 : ends[i - 1])..end].ToList())];
        }

        return [.. Enumerable.Range(0, rows).Select(_ => Single(type))];
    }

    private int[] Ends(int rows) =>
        [.. Enumerable.Range(0, rows).Select(_ => (int)BinaryPrimitives.ReadUInt64LittleEndian(Take(8)))];

    private object?[] Dictionary(string type, int rows)
    {
        var nullable = type.StartsWith("Nullable(", StringComparison.Ordinal);
        var flags = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
        // Keys in the block and no dictionary beyond it; the engine says besides that its dictionary is new.
        Assert.Equal(0x200UL, flags & ~0x4ffUL);
        var width = 1 << (int)(flags & 0xff);
        var count = (int)BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
        var keys = Values(nullable ? Inside(type) : type, count);
        Assert.Equal(rows, (int)BinaryPrimitives.ReadUInt64LittleEndian(Take(8)));
        var values = new object?[rows];
        for (var i = 0; i < rows; i++)
        {
            var bytes = new byte[8];
            Take(width).CopyTo(bytes);
            var key = (int)BitConverter.ToUInt64(bytes);
            values[i] = nullable && key == 0 ? null : keys[key];
        }

        return values;
    }

    private object Single(string type) => type switch
    {
        "String" => Take((int)Varint()).ToArray(),
        "Bool" or "UInt8" => Take(1)[0],
        "Int32" => BinaryPrimitives.ReadInt32LittleEndian(Take(4)),
        "UInt32" => BinaryPrimitives.ReadUInt32LittleEndian(Take(4)),
        "Int64" or "DateTime64(6, 'UTC')" => BinaryPrimitives.ReadInt64LittleEndian(Take(8)),
        "UInt64" => BinaryPrimitives.ReadUInt64LittleEndian(Take(8)),
        "Float32" => BinaryPrimitives.ReadSingleLittleEndian(Take(4)),
        "Float64" => BinaryPrimitives.ReadDoubleLittleEndian(Take(8)),
        _ => throw new FormatException(type),
    };

    private string Text() => Encoding.UTF8.GetString(Take((int)Varint()));

    private ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var current = _bytes[_at++];
            value |= (ulong)(current & 0x7f) << shift;
            if (current < 0x80)
            {
                return value;
            }
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        var taken = _bytes.AsSpan(_at, count);
        _at += count;
        return taken;
    }
}
