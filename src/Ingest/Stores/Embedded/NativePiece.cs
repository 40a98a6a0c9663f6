using System.Buffers;

namespace Ingest.Stores.Embedded;

/// <summary>The engine's own memory as managed memory, without a copy; valid as long as the result lives.</summary>
internal sealed unsafe class NativePiece(byte* first, int length) : MemoryManager<byte>
{
    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new(first, length);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new(first + elementIndex);

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
    }
}
