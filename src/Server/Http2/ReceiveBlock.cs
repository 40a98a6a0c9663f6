namespace Ingest.Server.Http2;

/// <summary>64 KiB that a socket is read into, shared by the connection and the calls whose requests lie in it.</summary>
/// <remarks>
/// Counts who holds it; the last who lets go gives it back, from any thread. Each thread keeps one, since a thread that
/// gives a block back is likely to want the next; of the rest a bounded number is kept.
/// </remarks>
internal sealed class ReceiveBlock
{
    /// <summary>Bytes of a block: at 80 a point, 800 points a system call.</summary>
    public const int Bytes = 64 * 1024;

    private const int MostKept = 512;

    private static readonly FreeList<ReceiveBlock> s_kept = new(MostKept);

    [ThreadStatic]
    private static ReceiveBlock? t_kept;

    private int _holders;

    private ReceiveBlock()
    {
    }

    /// <summary>The bytes, pinned.</summary>
    public byte[] Array { get; } = GC.AllocateUninitializedArray<byte>(Bytes, pinned: true);

    /// <summary>Whether a call holds it beside the connection.</summary>
    public bool IsShared => Volatile.Read(ref _holders) > 1;

    /// <summary>Takes a block; it is to be let go once.</summary>
    public static ReceiveBlock Rent()
    {
        ReceiveBlock? block = t_kept;
        if (block is not null)
        {
            t_kept = null;
        }
        else if (!s_kept.TryTake(out block))
        {
            block = new ReceiveBlock();
        }

        block._holders = 1;
        return block;
    }

    /// <summary>Holds it once more; for who holds it.</summary>
    public void Hold() => Interlocked.Increment(ref _holders);

    /// <summary>Lets it go once.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) > 0)
        {
            return;
        }

        if (t_kept is null)
        {
            t_kept = this;
        }
        else
        {
            s_kept.Put(this);
        }
    }
}
