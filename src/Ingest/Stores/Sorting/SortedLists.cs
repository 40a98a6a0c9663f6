using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Ingest.Stores.Sorting;

/// <summary>
/// Lists or maps: where each ends, then the items of all. The first pass finds how many items each has, and with that
/// where they go; those behind it are the items' own.
/// </summary>
internal sealed class SortedLists(SortedValues items, SortedValues? values) : SortedValues
{
    private ScratchBytes _scratch = null!;
    private ArraySegment<byte> _starts; // How many in the first pass.
    private int[] _places = [];
    private int _items;

    public override int Passes => 1 + Math.Max(items.Passes, values?.Passes ?? 0);

    public override int PrefixBytes => items.PrefixBytes + (values?.PrefixBytes ?? 0);

    public override int Measure(ReadOnlySpan<byte> bytes, int count)
    {
        if ((long)count * sizeof(ulong) > bytes.Length)
        {
            return Incomplete;
        }

        int at = count * sizeof(ulong);
        int length = Items(bytes, count);
        int keys = items.Measure(bytes[at..], length);
        if (keys < 0 || values is null)
        {
            return keys < 0 ? Incomplete : at + keys;
        }

        int rest = values.Measure(bytes[(at + keys)..], length);
        return rest < 0 ? Incomplete : at + keys + rest;
    }

    public override void CheckPrefix(ReadOnlySpan<byte> bytes)
    {
        items.CheckPrefix(bytes[..items.PrefixBytes]);
        values?.CheckPrefix(bytes[items.PrefixBytes..]);
    }

    public override void Begin(int count, ScratchBytes scratch)
    {
        _scratch = scratch;
        _items = 0;
        _starts = scratch.Rent((long)count * sizeof(int));
    }

    public override void Take(int pass, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> places)
    {
        int count = Items(bytes, places.Length);
        ReadOnlySpan<ulong> ends = MemoryMarshal.Cast<byte, ulong>(bytes[..(places.Length * sizeof(ulong))]);
        Span<int> starts = MemoryMarshal.Cast<byte, int>(_starts.AsSpan());
        if (pass == 0)
        {
            _items += count;
            ulong before = 0;
            for (int i = 0; i < ends.Length; i++)
            {
                starts[places[i]] = checked((int)(ends[i] - before));
                before = ends[i];
            }
        }
        else if (count > 0)
        {
            TakeItems(pass - 1, bytes[(places.Length * sizeof(ulong))..], PlaceItems(ends, places, starts, count));
        }
    }

    public override void EndPass(int pass)
    {
        if (pass > 0)
        {
            EndItems(pass - 1);
            return;
        }

        int next = 0;
        foreach (ref int start in MemoryMarshal.Cast<byte, int>(_starts.AsSpan()))
        {
            int length = start;
            start = next;
            next += length;
        }

        items.Begin(_items, _scratch);
        values?.Begin(_items, _scratch);
    }

    public override void WritePrefix(PieceWriter target)
    {
        items.WritePrefix(target);
        values?.WritePrefix(target);
    }

    public override void Write(PieceWriter target)
    {
        ReadOnlySpan<int> starts = MemoryMarshal.Cast<byte, int>(_starts.AsSpan());
        for (int i = 1; i <= starts.Length; i++)
        {
            target.WriteUInt64((ulong)(i < starts.Length ? starts[i] : _items));
        }

        if (_items > 0)
        {
            items.Write(target);
            values?.Write(target);
        }
    }

    private static int Items(ReadOnlySpan<byte> bytes, int count) => count == 0
        ? 0
        : BinaryPrimitives.ReadUInt64LittleEndian(bytes[((count - 1) * sizeof(ulong))..]) is var end
            && end <= int.MaxValue
                ? (int)end
                : throw new InvalidDataException($"a list that ends at {end}");

    private ReadOnlySpan<int> PlaceItems(
        ReadOnlySpan<ulong> ends, ReadOnlySpan<int> places, ReadOnlySpan<int> starts, int count)
    {
        if (_places.Length < count)
        {
            _places = new int[Math.Max(count, 2 * _places.Length)];
        }

        int item = 0;
        for (int i = 0; i < ends.Length; i++)
        {
            int end = (int)ends[i];
            for (int place = starts[places[i]]; item < end; item++)
            {
                _places[item] = place++;
            }
        }

        return _places.AsSpan(0, count);
    }

    private void TakeItems(int pass, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> places)
    {
        if (pass < items.Passes)
        {
            items.Take(pass, bytes, places);
        }

        if (values is not null && pass < values.Passes)
        {
            values.Take(pass, bytes[items.Measure(bytes, places.Length)..], places);
        }
    }

    private void EndItems(int pass)
    {
        if (pass < items.Passes)
        {
            items.EndPass(pass);
        }

        if (values is not null && pass < values.Passes)
        {
            values.EndPass(pass);
        }
    }
}
