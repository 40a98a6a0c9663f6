using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Ingest.Columns;

/// <summary>The values of a column of a block that was read back, of which rows can be taken out.</summary>
internal abstract class BlockValues
{
    /// <summary>Values in it.</summary>
    public int Count { get; protected set; }

    /// <summary>Makes what reads the values of a type.</summary>
    /// <exception cref="InvalidDataException">Blocks of the log have no such type.</exception>
    public static BlockValues Of(string type)
    {
        if (TryInside(type, "LowCardinality(", out string? inside))
        {
            return TryInside(inside, "Nullable(", out string? value)
                ? new DictionaryValues(() => Of(value), nullable: true)
                : new DictionaryValues(() => Of(inside), nullable: false);
        }

        if (TryInside(type, "Nullable(", out inside))
        {
            return new NullableValues(Of(inside));
        }

        if (TryInside(type, "Array(", out inside))
        {
            return new ListValues(Of(inside), null);
        }

        if (TryInside(type, "Map(", out inside))
        {
            int comma = TopLevelComma(inside);
            return new ListValues(Of(inside[..comma]), Of(inside[(comma + 1)..].Trim()));
        }

        return type == "String" ? new StringValues() : new FixedValues(WidthOf(type));
    }

    /// <summary>Reads what stands before the values of the whole column.</summary>
    public virtual void ReadPrefix(BlockCursor block)
    {
    }

    /// <summary>Reads so many values.</summary>
    public abstract void Read(BlockCursor block, int count);

    /// <summary>Writes what stands before the values of the whole column.</summary>
    public virtual void WritePrefix(IBufferWriter<byte> target)
    {
    }

    /// <summary>Writes a run of the values.</summary>
    public abstract void Write(IBufferWriter<byte> target, int first, int count);

    /// <summary>Whether a value is NULL.</summary>
    public virtual bool IsNull(int index) => false;

    /// <summary>The bytes of a single value: a text's own, or a number's, little-endian.</summary>
    public abstract ReadOnlySpan<byte> Value(int index);

    protected static void WriteUInt64(IBufferWriter<byte> target, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target.GetSpan(sizeof(ulong)), value);
        target.Advance(sizeof(ulong));
    }

    /// <summary>What stands between the brackets of a type with this opening, <c>Array(</c> for one.</summary>
    internal static bool TryInside(string type, string opening, [NotNullWhen(true)] out string? inside)
    {
        bool matches = type.StartsWith(opening, StringComparison.Ordinal) && type[^1] == ')';
        inside = matches ? type[opening.Length..^1] : null;
        return matches;
    }

    /// <summary>Where the comma between the two types of a map is.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    internal static int TopLevelComma(string types)
    {
        int depth = 0;
        for (int i = 0; i < types.Length; i++)
        {
            depth += types[i] == '(' ? 1 : types[i] == ')' ? -1 : 0;
            if (types[i] == ',' && depth == 0)
            {
                return i;
            }
        }

        throw new InvalidDataException($"Map({types}) is no type of the log");
    }

    /// <summary>Bytes of a value of a type of fixed width.</summary>
    /// <exception cref="InvalidDataException">The log has no such type.</exception>
    internal static int WidthOf(string type) => type switch
    {
        "Bool" or "UInt8" or "Int8" => 1,
        "UInt16" or "Int16" => 2,
        "UInt32" or "Int32" or "Float32" => 4,
        "UInt64" or "Int64" or "Float64" => 8,
        _ when type.StartsWith("DateTime64(", StringComparison.Ordinal) => 8,
        _ => throw new InvalidDataException($"'{type}' is no type of the log"),
    };
}
