using System.Buffers;

namespace Ingest.Columns;

/// <summary>Numbers of one width, read back from a block.</summary>
internal sealed class FixedValues(int width) : BlockValues
{
    private ReadOnlyMemory<byte> _bytes;

    public override void Read(BlockCursor block, int count)
    {
        _bytes = block.Take((long)count * width);
        Count = count;
    }

    public override void Write(IBufferWriter<byte> target, int first, int count) =>
        target.Write(_bytes.Span.Slice(first * width, count * width));

    public override ReadOnlySpan<byte> Value(int index) => _bytes.Span.Slice(index * width, width);
}
