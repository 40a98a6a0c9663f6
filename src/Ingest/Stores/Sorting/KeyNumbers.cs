using System.Runtime.CompilerServices;
using Ingest.Columns;

namespace Ingest.Stores.Sorting;

/// <summary>Numbers byte strings in the order in which they first come.</summary>
internal sealed class KeyNumbers
{
    private const int SlotsAtFirst = 1024;
    private const int BytesAtFirst = 16 * SlotsAtFirst;
    private const int MostKeptSlots = 1 << 19;
    private const int MostKeptBytes = 4 << 20;

    private int[] _slots = new int[SlotsAtFirst]; // Number + 1; 0 is free.
    private Key[] _keys = new Key[SlotsAtFirst / 2];
    private byte[] _bytes = new byte[BytesAtFirst];
    private int _length;

    /// <summary>Keys so far.</summary>
    public int Count { get; private set; }

    /// <summary>The keys' bytes one behind the other, by number.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <summary>Forgets all keys, and lets go of memory beyond what the usual ones take.</summary>
    public void Clear()
    {
        (Count, _length) = (0, 0);
        if (_bytes.Length > MostKeptBytes)
        {
            _bytes = new byte[BytesAtFirst];
        }

        if (_slots.Length > MostKeptSlots)
        {
            (_slots, _keys) = (new int[SlotsAtFirst], new Key[SlotsAtFirst / 2]);
        }
        else
        {
            Array.Clear(_slots);
        }
    }

    /// <summary>Bytes of a key.</summary>
    public ReadOnlySpan<byte> this[int number] => _bytes.AsSpan(_keys[number].At, _keys[number].Length);

    /// <summary>Number of a key, which is added when it is new.</summary>
    public int NumberOf(ReadOnlySpan<byte> key)
    {
        ulong hash = SeededHash.Of(key);
        int[] slots = _slots;
        int at = (int)hash & (slots.Length - 1);
        while (slots[at] is var found and > 0)
        {
            ref readonly Key known = ref _keys[found - 1];
            if (known.Hash == hash && key.SequenceEqual(_bytes.AsSpan(known.At, known.Length)))
            {
                return found - 1;
            }

            at = (at + 1) & (slots.Length - 1);
        }

        slots[at] = Count + 1;
        return Add(key, hash);
    }

    /// <summary>Adds a key that is found by its number alone: it equals no other.</summary>
    public int AddApart(ReadOnlySpan<byte> key) => Add(key, hash: 0, isApart: true);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Add(ReadOnlySpan<byte> key, ulong hash, bool isApart = false)
    {
        if (_bytes.Length - _length < key.Length)
        {
            Array.Resize(ref _bytes, checked(Math.Max(2 * _bytes.Length, _length + key.Length)));
        }

        key.CopyTo(_bytes.AsSpan(_length));
        _keys[Count] = new Key(hash, _length, key.Length, isApart);
        _length += key.Length;
        if (++Count == _keys.Length)
        {
            Grow();
        }

        return Count - 1;
    }

    private void Grow()
    {
        Array.Resize(ref _keys, 2 * _keys.Length);
        _slots = new int[2 * _slots.Length];
        for (int i = 0; i < Count; i++)
        {
            if (_keys[i].IsApart)
            {
                continue;
            }

            int at = (int)_keys[i].Hash & (_slots.Length - 1);
            while (_slots[at] > 0)
            {
                at = (at + 1) & (_slots.Length - 1);
            }

            _slots[at] = i + 1;
        }
    }

    private readonly record struct Key(ulong Hash, int At, int Length, bool IsApart);
}
