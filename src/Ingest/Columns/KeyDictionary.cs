using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Unicode;

namespace Ingest.Columns;

/// <summary>
/// The distinct strings of a LowCardinality column in a block: finds a string's key or makes one.
/// </summary>
/// <remarks>
/// Hot. Open addressing over keys in Native form; the hash is seeded, so that a sender cannot choose strings that
/// collide.
/// </remarks>
internal sealed class KeyDictionary
{
    private const int SlotsAtFirst = 64;
    private const int KeysKept = 16 * 1024;

    private static readonly ulong s_seed = (ulong)Random.Shared.NextInt64() | 1;

    private readonly StringColumn _keys = new();
    private readonly bool _nullable;
    private int[] _slots = new int[SlotsAtFirst];
    private uint[] _hashes = new uint[SlotsAtFirst / 2];
    private (int Start, int Length)[] _places = new (int, int)[SlotsAtFirst / 2];
    private byte[] _bytes = new byte[1024];
    private int _bytesEnd;
    private int _last = -1;

    public KeyDictionary(bool nullable)
    {
        _nullable = nullable;
        Reset();
    }

    /// <summary>Number of keys; in a nullable dictionary key 0 is NULL.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the keys in Native form.</summary>
    public int EncodedBytes => _keys.End;

    public long HeldBytes => _keys.HeldBytes + _bytes.Length + (_slots.Length * 4) + (_places.Length * 12);

    /// <summary>
    /// Key of a string; a new one is added. With <paramref name="validate"/> a new one that is not UTF-8 has none: -1.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int KeyOf(ReadOnlySpan<byte> value, bool validate = false)
    {
        // Runs of one value are the normal case.
        int last = _last;
        if (last >= 0)
        {
            (int start, int length) = _places[last];
            if (length == value.Length && value.SequenceEqual(_bytes.AsSpan(start, length)))
            {
                return last;
            }
        }

        return _last = Find(value, validate);
    }

    public void Encode(BlockBuilder block)
    {
        block.AddUInt64((ulong)Count);
        _keys.Encode(block, Count);
    }

    public void Reset()
    {
        if (Count > KeysKept)
        {
            _slots = new int[SlotsAtFirst];
            _hashes = new uint[SlotsAtFirst / 2];
            _places = new (int, int)[SlotsAtFirst / 2];
            _bytes = new byte[1024];
        }
        else
        {
            Array.Clear(_slots);
        }

        _keys.Reset(Count);
        Count = 0;
        _bytesEnd = 0;
        _last = -1;
        if (_nullable)
        {
            // The place of NULL; no value finds it, since it stands in no slot.
            _keys.Append([]);
            _places[0] = (0, -1);
            Count = 1;
        }
    }

    private int Find(ReadOnlySpan<byte> value, bool validate)
    {
        uint hash = Hash(value);
        int mask = _slots.Length - 1;
        for (int slot = (int)hash & mask; ; slot = (slot + 1) & mask)
        {
            int key = _slots[slot] - 1;
            if (key < 0)
            {
                return validate && !Utf8.IsValid(value) ? -1 : Add(value, hash, slot);
            }

            if (_hashes[key] == hash && value.SequenceEqual(_bytes.AsSpan(_places[key].Start, _places[key].Length)))
            {
                return key;
            }
        }
    }

    private int Add(ReadOnlySpan<byte> value, uint hash, int slot)
    {
        if (Count == _places.Length)
        {
            Grow();
            slot = FreeSlot(hash);
        }

        if (_bytes.Length - _bytesEnd < value.Length)
        {
            ColumnMemory.Grow(ref _bytes, _bytesEnd + value.Length, 0);
        }

        int key = Count++;
        value.CopyTo(_bytes.AsSpan(_bytesEnd));
        _places[key] = (_bytesEnd, value.Length);
        _bytesEnd += value.Length;
        _hashes[key] = hash;
        _slots[slot] = key + 1;
        _keys.Append(value);
        return key;
    }

    private void Grow()
    {
        Array.Resize(ref _places, _places.Length * 2);
        Array.Resize(ref _hashes, _hashes.Length * 2);
        _slots = new int[_slots.Length * 2];
        for (int key = _nullable ? 1 : 0; key < Count; key++)
        {
            _slots[FreeSlot(_hashes[key])] = key + 1;
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

    // Multiply and fold eight bytes at a time, as wyhash does.
    private static uint Hash(ReadOnlySpan<byte> value)
    {
        ulong state = s_seed ^ (ulong)value.Length;
        while (value.Length >= sizeof(ulong))
        {
            state = Fold(state ^ MemoryMarshal.Read<ulong>(value));
            value = value[sizeof(ulong)..];
        }

        ulong rest = 0;
        for (int i = 0; i < value.Length; i++)
        {
            rest |= (ulong)value[i] << (8 * i);
        }

        return (uint)Fold(state ^ rest ^ BitOperations.RotateLeft(s_seed, 32));
    }

    private static ulong Fold(ulong value)
    {
        ulong high = Math.BigMul(value, 0x9E3779B97F4A7C15, out ulong low);
        return high ^ low;
    }
}
