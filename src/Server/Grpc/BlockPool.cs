using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Ingest.Server.Grpc;

/// <summary>Blocks of one size for Kestrel's pipes, pinned, since the kernel reads into them.</summary>
/// <remarks>
/// Kestrel's own pool has blocks of 4 KiB, and a socket is read a block at a time: at 80 bytes a point that is a system
/// call for every 50 points. Lock-free; blocks come back from any thread; of those that are back, a bounded number is
/// kept and the rest left to the collector.
/// </remarks>
internal sealed class BlockPool(int blockBytes, long keptBytes) : MemoryPool<byte>
{
    private readonly ConcurrentQueue<Block> _free = new();
    private readonly long _keptBlocks = keptBytes / blockBytes;
    private long _freeBlocks;

    /// <inheritdoc/>
    public override int MaxBufferSize => blockBytes;

    /// <summary>Blocks that are back.</summary>
    public long FreeBlocks => Volatile.Read(ref _freeBlocks);

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">More than a block is asked for.</exception>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, blockBytes);
        if (!_free.TryDequeue(out Block? block))
        {
            return new Block(this);
        }

        Interlocked.Decrement(ref _freeBlocks);
        return block;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _free.Clear();

    private void Return(Block block)
    {
        if (Interlocked.Increment(ref _freeBlocks) <= _keptBlocks)
        {
            _free.Enqueue(block);
        }
        else
        {
            Interlocked.Decrement(ref _freeBlocks);
        }
    }

    private sealed class Block(BlockPool pool) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } = MemoryMarshal.CreateFromPinnedArray(
            GC.AllocateUninitializedArray<byte>(pool.MaxBufferSize, pinned: true), 0, pool.MaxBufferSize);

        public void Dispose() => pool.Return(this);
    }
}
