using System.Buffers;

namespace Ingest.Server.Http2;

/// <summary>A piece of a request's body: where it was received, or where it was copied to.</summary>
/// <remarks>
/// A thread keeps some; where one thread receives and others read, they come back by way of a list of all threads.
/// </remarks>
internal sealed class BodySegment : ReadOnlySequenceSegment<byte>
{
    private const int MostKept = 32;
    private const int MostKeptOfAll = 2048;

    private static readonly FreeList<BodySegment> s_kept = new(MostKeptOfAll);

    [ThreadStatic]
    private static BodySegment? t_kept;

    [ThreadStatic]
    private static int t_keptCount;

    private ReceiveBlock? _shared;
    private SmallBlock? _own;

    private BodySegment()
    {
    }

    /// <summary>The next one.</summary>
    public BodySegment? Following
    {
        get => (BodySegment?)Next;
        private set => Next = value;
    }

    /// <summary>Bytes of it.</summary>
    public int Length => Memory.Length;

    /// <summary>The place behind it, counted from the body's beginning.</summary>
    public long EndIndex => RunningIndex + Memory.Length;

    /// <summary>A piece that stays in the block that it was received in.</summary>
    public static BodySegment Share(ReceiveBlock block, int start, int count, BodySegment? before, long at)
    {
        block.Hold();
        BodySegment segment = Take(before, at);
        segment._shared = block;
        segment.Memory = block.Array.AsMemory(start, count);
        return segment;
    }

    /// <summary>An empty piece in a block of its own.</summary>
    public static BodySegment Make(BodySegment? before, long at)
    {
        BodySegment segment = Take(before, at);
        segment._own = SmallBlock.Rent();
        segment.Memory = default;
        return segment;
    }

    /// <summary>Takes over what lies right behind it in the same block.</summary>
    public bool TryExtend(ReceiveBlock block, int start, int count)
    {
        if (_shared != block)
        {
            return false;
        }

        System.Runtime.InteropServices.MemoryMarshal.TryGetArray(Memory, out ArraySegment<byte> array);
        if (array.Offset + array.Count != start)
        {
            return false;
        }

        Memory = block.Array.AsMemory(array.Offset, array.Count + count);
        return true;
    }

    /// <summary>Copies as much as there is room for.</summary>
    /// <returns>Bytes that were copied.</returns>
    public int Append(ReadOnlySpan<byte> bytes)
    {
        if (_own is null)
        {
            return 0;
        }

        int count = Math.Min(_own.Room, bytes.Length);
        bytes[..count].CopyTo(_own.Array.AsSpan(_own.End));
        _own.End += count;
        Memory = _own.Array.AsMemory(0, _own.End);
        return count;
    }

    /// <summary>Lets its memory go; it is not used any more.</summary>
    public void Release()
    {
        _shared?.Release();
        _own?.Return();
        _shared = null;
        _own = null;
        Memory = default;
        Following = null;
        if (t_keptCount < MostKept)
        {
            t_keptCount++;
            Following = t_kept;
            t_kept = this;
        }
        else
        {
            s_kept.Put(this);
        }
    }

    private static BodySegment Take(BodySegment? before, long at)
    {
        BodySegment? segment = t_kept;
        if (segment is not null)
        {
            t_keptCount--;
            t_kept = segment.Following;
            segment.Following = null;
        }
        else if (!s_kept.TryTake(out segment))
        {
            segment = new BodySegment();
        }

        segment.RunningIndex = at;
        if (before is not null)
        {
            before.Following = segment;
        }

        return segment;
    }
}
