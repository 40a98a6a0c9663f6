namespace Ingest.Server.Http2;

/// <summary>16 KiB that wait to be sent, or to be read by a call; one of a list.</summary>
/// <remarks>One owner at a time. A thread keeps two, and the process a bounded number.</remarks>
internal sealed class SmallBlock
{
    /// <summary>Bytes of a block: a frame of the usual size with its header, less nine.</summary>
    public const int Bytes = 16 * 1024;

    private const int MostKept = 2048;

    private static readonly FreeList<SmallBlock> s_kept = new(MostKept);

    [ThreadStatic]
    private static SmallBlock? t_first;

    [ThreadStatic]
    private static SmallBlock? t_second;

    private SmallBlock(int bytes) => Array = GC.AllocateUninitializedArray<byte>(bytes, pinned: true);

    /// <summary>The bytes, pinned.</summary>
    public byte[] Array { get; }

    /// <summary>Where its contents begin.</summary>
    public int Start { get; set; }

    /// <summary>Where they end.</summary>
    public int End { get; set; }

    /// <summary>The next one of the list.</summary>
    public SmallBlock? Next { get; set; }

    /// <summary>Bytes that still fit.</summary>
    public int Room => Array.Length - End;

    /// <summary>What it holds.</summary>
    public Span<byte> Contents => Array.AsSpan(Start, End - Start);

    /// <summary>Takes an empty block; one of its own size when more is asked for than others have.</summary>
    public static SmallBlock Rent(int atLeast = 0)
    {
        if (atLeast > Bytes)
        {
            return new SmallBlock(atLeast);
        }

        SmallBlock? block = t_first;
        if (block is not null)
        {
            t_first = t_second;
            t_second = null;
            return block;
        }

        return s_kept.TryTake(out block) ? block : new SmallBlock(Bytes);
    }

    /// <summary>Gives it back.</summary>
    public void Return()
    {
        Start = 0;
        End = 0;
        Next = null;
        if (Array.Length != Bytes)
        {
            return;
        }

        if (t_first is null)
        {
            t_first = this;
        }
        else if (t_second is null)
        {
            t_second = this;
        }
        else
        {
            s_kept.Put(this);
        }
    }
}
