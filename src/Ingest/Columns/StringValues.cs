using System.Buffers;

namespace Ingest.Columns;

/// <summary>Texts, read back from a block.</summary>
internal sealed class StringValues : BlockValues
{
    private ReadOnlyMemory<byte>[] _values = [];

    public override void Read(BlockCursor block, int count)
    {
        _values = new ReadOnlyMemory<byte>[count];
        for (int i = 0; i < count; i++)
        {
            _values[i] = block.Take(block.Count(block.Varint()));
        }

        Count = count;
    }

    public override void Write(IBufferWriter<byte> target, int first, int count)
    {
        foreach (ReadOnlyMemory<byte> value in _values.AsSpan(first, count))
        {
            WriteText(target, value.Span);
        }
    }

    public override ReadOnlySpan<byte> Value(int index) => _values[index].Span;

    /// <summary>Writes a length and a text.</summary>
    public static void WriteText(IBufferWriter<byte> target, ReadOnlySpan<byte> text)
    {
        target.Advance(NativeFormat.WriteVarint(target.GetSpan(NativeFormat.MaxVarintBytes), (ulong)text.Length));
        target.Write(text);
    }
}
