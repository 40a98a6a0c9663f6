using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Ingest.Schema;

namespace Ingest.Columns;

/// <summary>
/// A block of the log, read back from its bytes by what its own header says, so that rows can be taken out of it.
/// </summary>
/// <remarks>Cold: for segments that the store refuses and for what is in quarantine. Holds on to the bytes.</remarks>
internal sealed class BlockContent
{
    private const string SegmentIdType = "LowCardinality(UInt64)";

    private BlockContent(int rows, IReadOnlyList<BlockColumn> columns, int length) =>
        (Rows, Columns, Length) = (rows, columns, length);

    /// <summary>Rows in it.</summary>
    public int Rows { get; }

    /// <summary>Its columns, in order.</summary>
    public IReadOnlyList<BlockColumn> Columns { get; }

    /// <summary>Its bytes.</summary>
    public int Length { get; }

    /// <summary>Reads the block at the beginning of the bytes.</summary>
    /// <exception cref="InvalidDataException">There is none; the text says where it ends to be one.</exception>
    public static BlockContent Read(ReadOnlyMemory<byte> bytes)
    {
        var block = new BlockCursor(bytes);
        int count = block.Count(block.Varint());
        int rows = block.Count(block.Varint());
        var columns = new List<BlockColumn>();
        for (int i = 0; i < count; i++)
        {
            string name = block.Text();
            string type = block.Text();
            BlockValues values = BlockValues.Of(type);
            if (rows > 0)
            {
                values.ReadPrefix(block);
                values.Read(block, rows);
            }

            columns.Add(new BlockColumn(name, type, values));
        }

        return new BlockContent(rows, columns, block.Position);
    }

    /// <summary>The segment that its rows say they are of; null when they do not.</summary>
    public ulong? SegmentId => Rows > 0
        && Columns.FirstOrDefault(c => c is { Name: TableSchema.SegmentIdColumn, Type: SegmentIdType })?.Values is { } ids
            ? BinaryPrimitives.ReadUInt64LittleEndian(ids.Value(0))
            : null;

    /// <summary>The column of a name, or null.</summary>
    public BlockValues? Find(string name) => Columns.FirstOrDefault(c => c.Name == name)?.Values;

    /// <summary>The block of a run of its rows: the same for the same rows.</summary>
    public byte[] Slice(int first, int count) => Write(first, count, null);

    /// <summary>The block with its rows in another segment.</summary>
    /// <exception cref="InvalidDataException">It does not say in which segment its rows are.</exception>
    public byte[] Move(ulong segmentId) => Columns.Any(c => c is { Name: TableSchema.SegmentIdColumn, Type: SegmentIdType })
        ? Write(0, Rows, segmentId)
        : throw new InvalidDataException($"the block has no column {TableSchema.SegmentIdColumn}");

    private byte[] Write(int first, int count, ulong? segmentId)
    {
        var target = new ArrayBufferWriter<byte>(Math.Max(256, (int)((long)Length * count / Math.Max(1, Rows))));
        WriteVarint(target, Columns.Count);
        WriteVarint(target, count);
        foreach (BlockColumn column in Columns)
        {
            StringValues.WriteText(target, Encoding.UTF8.GetBytes(column.Name));
            StringValues.WriteText(target, Encoding.UTF8.GetBytes(column.Type));
            if (count == 0)
            {
                continue;
            }

            BlockValues values = segmentId is { } id && column.Name == TableSchema.SegmentIdColumn
                ? SegmentIds(id, Rows)
                : column.Values;
            values.WritePrefix(target);
            values.Write(target, first, count);
        }

        return target.WrittenSpan.ToArray();
    }

    private static BlockValues SegmentIds(ulong id, int rows)
    {
        byte[] bytes = new byte[(3 * sizeof(ulong)) + sizeof(ulong) + rows];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, NativeFormat.IndexUInt8 | NativeFormat.HasAdditionalKeys);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), 1);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), id);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), (ulong)rows);
        BlockValues values = BlockValues.Of(SegmentIdType);
        values.Read(new BlockCursor(bytes), rows);
        return values;
    }

    private static void WriteVarint(ArrayBufferWriter<byte> target, int value) =>
        target.Advance(NativeFormat.WriteVarint(target.GetSpan(NativeFormat.MaxVarintBytes), (ulong)value));
}
