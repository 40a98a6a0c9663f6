using System.Runtime.CompilerServices;
using System.Text.Unicode;

namespace Ingest.Columns;

/// <summary>
/// The distinct strings of a LowCardinality column in a block: finds a string's key or makes one.
/// </summary>
/// <remarks>
/// Hot. Open addressing; the strings lie in Native form, one after the other, in the order of their keys. The hash is
/// seeded, so that a sender cannot choose strings that collide. Keys are taken back in the reverse of their order,
/// which is what lets a slot be cleared without moving others.
/// </remarks>
internal sealed class KeyDictionary
{
    private const int SlotsAtFirst = 64;
    private const int KeysKept = 16 * 1024;
    private const int BytesAtFirst = 1024;
    private const int BytesKept = KeysKept * 64;

    private readonly bool _nullable;
    private int[] _slots = new int[SlotsAtFirst];
    private Key[] _keys = new Key[SlotsAtFirst / 2];
    private byte[] _bytes = new byte[BytesAtFirst];
    private int _last = -1;

    public KeyDictionary(bool nullable)
    {
        _nullable = nullable;
        AddNull();
    }

    /// <summary>Number of keys; in a nullable dictionary key 0 is NULL.</summary>
    public int Count { get; private set; }

    /// <summary>
    /// Changes when keys are forgotten: of an equal version, the key of a string is what it was. Never 0.
    /// </summary>
    public int Version { get; private set; } = 1;

    /// <summary>Bytes of the keys in Native form.</summary>
    public int EncodedBytes { get; private set; }

    public long HeldBytes =>
        _bytes.Length + ((long)_slots.Length * sizeof(int)) + ((long)_keys.Length * Unsafe.SizeOf<Key>());

    /// <summary>
    /// Key of a string; a new one is added, for <paramref name="row"/>. With <paramref name="validate"/> a new one that
    /// is not UTF-8 has none: -1.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int KeyOf(ReadOnlySpan<byte> value, int row, bool validate = false)
    {
        // Runs of one value are the normal case.
        int last = _last;
        if (last >= 0)
        {
            ref readonly Key key = ref _keys[last];
            if (key.Length == value.Length && value.SequenceEqual(_bytes.AsSpan(key.Start, key.Length)))
            {
                return last;
            }
        }

        return _last = Find(value, row, validate);
    }

    /// <summary>
    /// Forgets the keys that were added for <paramref name="row"/> and later ones; whether there were any.
    /// </summary>
    public bool Forget(int row)
    {
        int first = _nullable ? 1 : 0;
        int count = Count;
        while (Count > first && _keys[Count - 1].Row >= row)
        {
            int slot = (int)_keys[--Count].Hash & (_slots.Length - 1);
            while (_slots[slot] != Count + 1)
            {
                slot = (slot + 1) & (_slots.Length - 1);
            }

            _slots[slot] = 0;
        }

        if (Count == count)
        {
            return false;
        }

        EncodedBytes = Count == 0 ? 0 : _keys[Count - 1].Start + _keys[Count - 1].Length;
        _last = -1;
        NextVersion();
        return true;
    }

    /// <summary>The string of a key; empty for NULL.</summary>
    public ReadOnlySpan<byte> Value(int key) => _bytes.AsSpan(_keys[key].Start, _keys[key].Length);

    public void Encode(BlockBuilder block)
    {
        block.AddUInt64((ulong)Count);
        block.Add(_bytes.AsMemory(0, EncodedBytes));
    }

    /// <summary>Forgets all keys and keeps the memory, up to a bound.</summary>
    public void Reset()
    {
        if (_keys.Length > KeysKept)
        {
            _slots = new int[SlotsAtFirst];
            _keys = new Key[SlotsAtFirst / 2];
        }
        else if (Count < _slots.Length / 16)
        {
            // A few keys in a table that many have grown: clearing it all would cost as much as those many did.
            Forget(int.MinValue);
        }
        else
        {
            Array.Clear(_slots);
        }

        ColumnMemory.Shrink(ref _bytes, BytesKept);
        Count = 0;
        EncodedBytes = 0;
        _last = -1;
        NextVersion();
        AddNull();
    }

    private void NextVersion() => Version = Version == int.MaxValue ? 1 : Version + 1;

    private void AddNull()
    {
        if (_nullable)
        {
            // The place of NULL; no value finds it, since it stands in no slot and is never the last one.
            Reserve(1);
            _bytes[0] = 0;
            _keys[0] = new Key { Start = 1 };
            (Count, EncodedBytes) = (1, 1);
        }
    }

    private int Find(ReadOnlySpan<byte> value, int row, bool validate)
    {
        uint hash = (uint)SeededHash.Of(value);
        int mask = _slots.Length - 1;
        for (int slot = (int)hash & mask; ; slot = (slot + 1) & mask)
        {
            int index = _slots[slot] - 1;
            if (index < 0)
            {
                return validate && !Utf8.IsValid(value) ? -1 : Add(value, row, hash, slot);
            }

            ref readonly Key key = ref _keys[index];
            if (key.Hash == hash && value.SequenceEqual(_bytes.AsSpan(key.Start, key.Length)))
            {
                return index;
            }
        }
    }

    private int Add(ReadOnlySpan<byte> value, int row, uint hash, int slot)
    {
        if (Count == _keys.Length)
        {
            Grow();
            slot = FreeSlot(hash);
        }

        Reserve(NativeFormat.MaxVarintBytes + value.Length);
        int start = EncodedBytes + NativeFormat.WriteVarint(_bytes.AsSpan(EncodedBytes), (ulong)value.Length);
        value.CopyTo(_bytes.AsSpan(start));
        EncodedBytes = start + value.Length;
        _keys[Count] = new Key { Start = start, Length = value.Length, Hash = hash, Row = row };
        _slots[slot] = Count + 1;
        return Count++;
    }

    private void Reserve(int count)
    {
        if (_bytes.Length - EncodedBytes < count)
        {
            ColumnMemory.Grow(ref _bytes, EncodedBytes + count, BytesAtFirst);
        }
    }

    private void Grow()
    {
        Array.Resize(ref _keys, _keys.Length * 2);
        _slots = new int[_slots.Length * 2];
        for (int key = _nullable ? 1 : 0; key < Count; key++)
        {
            _slots[FreeSlot(_keys[key].Hash)] = key + 1;
        }
    }

    private int FreeSlot(uint hash)
    {
        int mask = _slots.Length - 1;
        int slot = (int)hash & mask;
        while (_slots[slot] != 0)
        {
            slot = (slot + 1) & mask;
        }

        return slot;
    }

    private struct Key
    {
        /// <summary>Where its bytes begin, behind their length.</summary>
        public int Start;

        public int Length;

        public uint Hash;

        /// <summary>The row that it was added for.</summary>
        public int Row;
    }
}
