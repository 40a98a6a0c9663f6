using System.Buffers;

namespace Ingest.Columns;

/// <summary>Values of which some are NULL, read back from a block.</summary>
internal sealed class NullableValues(BlockValues values) : BlockValues
{
    private ReadOnlyMemory<byte> _nulls;

    public override void ReadPrefix(BlockCursor block) => values.ReadPrefix(block);

    public override void Read(BlockCursor block, int count)
    {
        _nulls = block.Take(count);
        values.Read(block, count);
        Count = count;
    }

    public override void WritePrefix(IBufferWriter<byte> target) => values.WritePrefix(target);

    public override void Write(IBufferWriter<byte> target, int first, int count)
    {
        target.Write(_nulls.Span.Slice(first, count));
        values.Write(target, first, count);
    }

    public override bool IsNull(int index) => _nulls.Span[index] != 0;

    public override ReadOnlySpan<byte> Value(int index) => values.Value(index);
}
