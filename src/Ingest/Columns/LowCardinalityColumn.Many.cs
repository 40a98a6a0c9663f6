using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Ingest.Columns;

// Many rows at once.
internal sealed partial class LowCardinalityColumn
{
    /// <summary>Writes strings that come as a dictionary and an index for each row.</summary>
    /// <param name="row">The first row.</param>
    /// <param name="source">Bytes of the strings.</param>
    /// <param name="entries">Where the strings of the dictionary lie.</param>
    /// <param name="indexes">For each row its place in the dictionary.</param>
    /// <param name="keys">For each string of the dictionary its key; -1 for those that have none, set here.</param>
    public void WriteCoded(
        int row, ReadOnlySpan<byte> source, ReadOnlySpan<TextPlace> entries, ReadOnlySpan<int> indexes, Span<int> keys)
    {
        // A string that no row has gets no key, and the others get theirs in the order of the rows.
        Span<int> target = _indexes.AsSpan(row, indexes.Length);
        for (int i = 0; i < target.Length; i++)
        {
            int index = indexes[i];
            int key = keys[index];
            if (key < 0)
            {
                TextPlace entry = entries[index];
                key = keys[index] = _dictionary.KeyOf(source.Slice(entry.Start, entry.Length), row + i);
            }

            target[i] = key;
        }
    }

    /// <summary>Writes strings that come one by one.</summary>
    public void WriteEach(int row, ReadOnlySpan<byte> source, ReadOnlySpan<TextPlace> entries)
    {
        Span<int> target = _indexes.AsSpan(row, entries.Length);
        for (int i = 0; i < target.Length; i++)
        {
            target[i] = _dictionary.KeyOf(source.Slice(entries[i].Start, entries[i].Length), row + i);
        }
    }

    /// <summary>Writes the names of numbers of an enum.</summary>
    public void WriteEnums(int row, ReadOnlySpan<int> numbers)
    {
        int[] keys = _keysOfNames;
        Span<int> target = _indexes.AsSpan(row, numbers.Length);
        for (int i = 0; i < target.Length; i++)
        {
            int number = numbers[i];
            int key = (uint)number < (uint)keys.Length ? keys[number] : -1;
            target[i] = key >= 0 ? key : KeyOfNumber(row + i, number);
        }
    }

    // The indexes in as few bytes as they need.
    private static void Narrow(ReadOnlySpan<int> indexes, Span<byte> target)
    {
        ref int first = ref MemoryMarshal.GetReference(indexes);
        int at = 0;
        for (; at <= indexes.Length - Vector256<byte>.Count; at += Vector256<byte>.Count)
        {
            Vector256<ushort> low = Halves(ref first, at);
            Vector256<ushort> high = Halves(ref first, at + Vector256<ushort>.Count);
            Vector256.Narrow(low, high).StoreUnsafe(ref MemoryMarshal.GetReference(target), (nuint)at);
        }

        for (; at < indexes.Length; at++)
        {
            target[at] = (byte)indexes[at];
        }
    }

    private static void Narrow(ReadOnlySpan<int> indexes, Span<ushort> target)
    {
        ref int first = ref MemoryMarshal.GetReference(indexes);
        int at = 0;
        for (; at <= indexes.Length - Vector256<ushort>.Count; at += Vector256<ushort>.Count)
        {
            Halves(ref first, at).StoreUnsafe(ref MemoryMarshal.GetReference(target), (nuint)at);
        }

        for (; at < indexes.Length; at++)
        {
            target[at] = (ushort)indexes[at];
        }
    }

    private static Vector256<ushort> Halves(ref int first, int at) => Vector256.Narrow(
        Vector256.LoadUnsafe(ref first, (nuint)at).AsUInt32(),
        Vector256.LoadUnsafe(ref first, (nuint)at + (nuint)Vector256<int>.Count).AsUInt32());
}
