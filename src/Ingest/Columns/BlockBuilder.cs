using System.Buffers.Binary;

namespace Ingest.Columns;

/// <summary>Collects the pieces of a block in order: column memory by reference, small things in its own.</summary>
internal sealed class BlockBuilder
{
    private const int ScratchBytes = 4096;

    private List<ReadOnlyMemory<byte>> _parts = [];
    private byte[] _scratch = new byte[ScratchBytes];
    private int _start;
    private int _end;

    public long Length { get; private set; }

    public void Add(ReadOnlyMemory<byte> memory)
    {
        if (memory.IsEmpty)
        {
            return;
        }

        Cut();
        _parts.Add(memory);
        Length += memory.Length;
    }

    public void AddVarint(ulong value) =>
        _end += NativeFormat.WriteVarint(Reserve(NativeFormat.MaxVarintBytes), value);

    public void AddUInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(Reserve(sizeof(ulong)), value);
        _end += sizeof(ulong);
    }

    /// <summary>Ends the block; its pieces are in the list.</summary>
    public void Complete() => Cut();

    /// <summary>Makes ready for another block; the pieces handed out before are no longer valid.</summary>
    /// <param name="parts">Takes the pieces.</param>
    public void Begin(List<ReadOnlyMemory<byte>> parts) => (_parts, _start, _end, Length) = (parts, 0, 0, 0);

    private Span<byte> Reserve(int count)
    {
        if (_scratch.Length - _end < count)
        {
            Cut();
            // Pieces handed out still point into the old array.
            _scratch = new byte[ScratchBytes];
            (_start, _end) = (0, 0);
        }

        return _scratch.AsSpan(_end, count);
    }

    private void Cut()
    {
        if (_end > _start)
        {
            _parts.Add(_scratch.AsMemory(_start, _end - _start));
            Length += _end - _start;
            _start = _end;
        }
    }
}
