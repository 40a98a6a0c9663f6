using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Unicode;
using Ingest.Decoding;

namespace Ingest.Columns;

/// <summary>
/// The names of the properties that the rows of a Struct column have: a tree, from an object's name to those of its
/// members. A name that is here is known to be UTF-8, and its key in the column's dictionary is known too.
/// </summary>
/// <remarks>
/// Hot: rows have the same names in the same order, so the name that came after the one before is tried first, and found
/// without its hash. Owned by its column. Bounded: when it is full it takes no further name, until
/// <see cref="BeginRow"/> empties it. Watched by DecodeBenchmarks.
/// </remarks>
internal sealed class PropertyNames
{
    /// <summary>The name of the column itself, the parent of those without objects around them.</summary>
    public const int Root = 0;

    /// <summary>There is no such name, and none is added: it is not UTF-8, too long, or one too many.</summary>
    public const int None = -1;

    private const int MaxNames = 1024;
    private const int MaxBytes = 64 * 1024;
    private const int NamesAtFirst = 16;
    private const int BytesAtFirst = 256;

    // Bytes behind the last name that may be read, so that a short one is compared in one piece.
    private const int Slack = sizeof(ulong);

    private Node[] _nodes = new Node[NamesAtFirst];
    private int[] _slots = new int[NamesAtFirst * 2];
    private byte[] _bytes = new byte[BytesAtFirst];
    private int _count = 1;
    private int _byteCount;
    private long _lastObject;
    private bool _isFull;

    /// <summary>Bytes of memory held.</summary>
    public long HeldBytes =>
        _bytes.Length + ((long)_slots.Length * sizeof(int)) + ((long)_nodes.Length * Unsafe.SizeOf<Node>());

    /// <summary>Names that are known.</summary>
    public int Count => _count - 1;

    /// <summary>Makes ready for the names of a row.</summary>
    public void BeginRow()
    {
        if (_isFull)
        {
            Array.Clear(_slots);
            _nodes[Root] = default;
            (_count, _byteCount, _isFull) = (1, 0, false);
        }
    }

    /// <summary>Begins an object: its members are those that <see cref="TryVisit"/> is called for with the number.</summary>
    public long BeginObject() => ++_lastObject;

    /// <summary>
    /// The name of an object's member, or <see cref="None"/>. <paramref name="slack"/> bytes from
    /// <paramref name="source"/> on may be read.
    /// </summary>
    /// <param name="parent">The object's name.</param>
    /// <param name="before">The member before; the object's own name for its first one.</param>
    /// <param name="source">The name's bytes.</param>
    /// <param name="length">Their number.</param>
    /// <param name="slack">Bytes that may be read.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(int parent, int before, ref byte source, int length, int slack)
    {
        ref Node nodes = ref MemoryMarshal.GetArrayDataReference(_nodes);
        ref Node previous = ref Unsafe.Add(ref nodes, before);
        int expected = before == parent ? previous.FirstMember : previous.Next;
        ref Node node = ref Unsafe.Add(ref nodes, expected);
        if (expected != Root && node.Length == length && slack >= sizeof(ulong)
            && ((Unsafe.ReadUnaligned<ulong>(ref source) ^ node.Prefix) & node.PrefixMask) == 0
            && (length <= sizeof(ulong) || IsSame(ref source, node.Start, length)))
        {
            return expected;
        }

        int found = FindByHash(parent, ref source, length);
        if (found != None)
        {
            previous = ref _nodes[before];
            (before == parent ? ref previous.FirstMember : ref previous.Next) = found;
        }

        return found;
    }

    /// <summary>Says that an object has a member; false when it had it already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryVisit(int name, long ofObject)
    {
        ref Node node = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_nodes), name);
        bool isFirst = node.LastObject != ofObject;
        node.LastObject = ofObject;
        return isFirst;
    }

    /// <summary>Length of a name with its parents, in bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int PathLength(int name) =>
        Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_nodes), name).PathLength;

    /// <summary>Writes the name with its parents to a column of names.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int name, LowCardinalityColumn column, int item)
    {
        ref Node node = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_nodes), name);
        if (node.Version == column.Dictionary.Version)
        {
            column.WriteKey(item, node.Key);
        }
        else
        {
            WriteAnew(ref node, column, item);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WriteAnew(ref Node node, LowCardinalityColumn column, int item)
    {
        Span<byte> path = stackalloc byte[RowScratch.MaxNameBytes];
        WritePath(node, path);
        column.TryWrite(item, path[..node.PathLength], validate: false);
        (node.Key, node.Version) = (column.Indexes(item + 1)[item], column.Dictionary.Version);
    }

    // From its end: a name knows its parent.
    private void WritePath(in Node last, Span<byte> path)
    {
        Node node = last;
        while (true)
        {
            _bytes.AsSpan(node.Start, node.Length).CopyTo(path[(node.PathLength - node.Length)..]);
            if (node.PathLength == node.Length)
            {
                return;
            }

            path[node.PathLength - node.Length - 1] = (byte)'.';
            node = _nodes[node.Parent];
        }
    }

    private bool IsSame(ref byte source, int start, int length) =>
        MemoryMarshal.CreateReadOnlySpan(ref source, length).SequenceEqual(_bytes.AsSpan(start, length));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int FindByHash(int parent, ref byte source, int length)
    {
        ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpan(ref source, length);
        uint hash = (uint)SeededHash.Of(name, parent);
        int mask = _slots.Length - 1;
        int slot = (int)hash & mask;
        for (; _slots[slot] != Root; slot = (slot + 1) & mask)
        {
            ref readonly Node node = ref _nodes[_slots[slot]];
            if (node.Hash == hash && node.Parent == parent && node.Length == length
                && IsSame(ref source, node.Start, length))
            {
                return _slots[slot];
            }
        }

        return Add(parent, name, hash);
    }

    private int Add(int parent, ReadOnlySpan<byte> name, uint hash)
    {
        int above = _nodes[parent].PathLength;
        int pathLength = above + (above > 0 ? 1 : 0) + name.Length;
        if (pathLength > RowScratch.MaxNameBytes || !Utf8.IsValid(name))
        {
            return None;
        }

        if (_count == MaxNames || _byteCount + name.Length > MaxBytes)
        {
            _isFull = true;
            return None;
        }

        if (_count == _nodes.Length)
        {
            Grow();
        }

        if (_bytes.Length - _byteCount < name.Length + Slack)
        {
            ColumnMemory.Grow(ref _bytes, _byteCount + name.Length + Slack, BytesAtFirst);
        }

        name.CopyTo(_bytes.AsSpan(_byteCount));
        int index = _count++;
        _nodes[index] = new Node
        {
            Parent = parent,
            Start = _byteCount,
            Length = name.Length,
            PathLength = pathLength,
            Prefix = MemoryMarshal.Read<ulong>(_bytes.AsSpan(_byteCount)),
            PrefixMask = name.Length < sizeof(ulong) ? (1UL << (8 * name.Length)) - 1 : ulong.MaxValue,
            Hash = hash,
        };
        _byteCount += name.Length;
        _slots[FreeSlot(hash)] = index;
        return index;
    }

    private void Grow()
    {
        Array.Resize(ref _nodes, _nodes.Length * 2);
        _slots = new int[_nodes.Length * 2];
        for (int node = 1; node < _count; node++)
        {
            _slots[FreeSlot(_nodes[node].Hash)] = node;
        }
    }

    private int FreeSlot(uint hash)
    {
        int mask = _slots.Length - 1;
        int slot = (int)hash & mask;
        while (_slots[slot] != Root)
        {
            slot = (slot + 1) & mask;
        }

        return slot;
    }

    private struct Node
    {
        /// <summary>The first bytes of the name, and which of them count.</summary>
        public ulong Prefix;
        public ulong PrefixMask;

        /// <summary>The object that had the name last.</summary>
        public long LastObject;

        public int Length;

        /// <summary>The name that came after this one last.</summary>
        public int Next;

        /// <summary>The name that came first in an object of this name last.</summary>
        public int FirstMember;

        /// <summary>Length with the parents and the dots between.</summary>
        public int PathLength;

        /// <summary>Key in the dictionary, of its <see cref="Version"/>.</summary>
        public int Key;
        public int Version;

        public int Parent;
        public int Start;
        public uint Hash;
    }
}
