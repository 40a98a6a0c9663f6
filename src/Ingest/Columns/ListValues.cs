using System.Buffers;
using System.Buffers.Binary;

namespace Ingest.Columns;

/// <summary>Lists or maps, read back from a block: where each ends, and the items of all.</summary>
internal sealed class ListValues(BlockValues items, BlockValues? values) : BlockValues
{
    private ReadOnlyMemory<byte> _ends;

    /// <summary>The items; the keys of a map.</summary>
    public BlockValues Items => items;

    /// <summary>The values of a map.</summary>
    public BlockValues? Values => values;

    /// <summary>Places of a row's items: first and end.</summary>
    public (int First, int End) Range(int row) => (row == 0 ? 0 : End(row - 1), End(row));

    public override void ReadPrefix(BlockCursor block)
    {
        items.ReadPrefix(block);
        values?.ReadPrefix(block);
    }

    public override void Read(BlockCursor block, int count)
    {
        _ends = block.Take((long)count * sizeof(ulong));
        Count = count;
        int end = 0;
        for (int row = 0; row < count; row++)
        {
            int next = block.Count(BinaryPrimitives.ReadUInt64LittleEndian(_ends.Span[(row * sizeof(ulong))..]));
            end = next >= end ? next : throw new InvalidDataException($"the list of row {row} ends before it begins");
        }

        items.Read(block, end);
        values?.Read(block, end);
    }

    public override void WritePrefix(IBufferWriter<byte> target)
    {
        items.WritePrefix(target);
        values?.WritePrefix(target);
    }

    public override void Write(IBufferWriter<byte> target, int first, int count)
    {
        int start = first == 0 ? 0 : End(first - 1);
        for (int row = first; row < first + count; row++)
        {
            WriteUInt64(target, (ulong)(End(row) - start));
        }

        int written = count == 0 ? 0 : End(first + count - 1) - start;
        items.Write(target, start, written);
        values?.Write(target, start, written);
    }

    public override ReadOnlySpan<byte> Value(int index) => throw new NotSupportedException("a list is no single value");

    private int End(int row) => (int)BinaryPrimitives.ReadUInt64LittleEndian(_ends.Span[(row * sizeof(ulong))..]);
}
