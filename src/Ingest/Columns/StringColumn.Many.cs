using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Ingest.Columns;

// Many rows at once.
internal sealed partial class StringColumn
{
    // Of many at once those up to here are short: a UUID has 36.
    private const int ShortOfManyBytes = 2 * ShortBytes;

    /// <summary>Appends strings that come as a dictionary and an index for each row.</summary>
    /// <param name="source">Bytes of the strings.</param>
    /// <param name="entries">Where the strings of the dictionary lie.</param>
    /// <param name="indexes">For each row its place in the dictionary.</param>
    public void AppendCoded(ReadOnlySpan<byte> source, ReadOnlySpan<TextPlace> entries, ReadOnlySpan<int> indexes)
    {
        for (int i = 0; i < indexes.Length; i++)
        {
            i += AppendShort(source, entries, indexes[i..]);
            if (i < indexes.Length)
            {
                Append(source, entries[indexes[i]]);
            }
        }
    }

    /// <summary>Appends strings that come one by one.</summary>
    public void AppendEach(ReadOnlySpan<byte> source, ReadOnlySpan<TextPlace> entries)
    {
        for (int i = 0; i < entries.Length; i++)
        {
            i += AppendShort(source, entries[i..]);
            if (i < entries.Length)
            {
                Append(source, entries[i]);
            }
        }
    }

    public override void WriteDefaults(int row, int count)
    {
        if (_data.Length - _end < count)
        {
            ColumnMemory.Grow(ref _data, _end + count, Batch.RowsAtFirst);
        }

        _data.AsSpan(_end, count).Clear();
        _end += count;
        _start = _end;
    }

    // As many as are short and have room on both sides: a load and two stores each, mostly. How many that were.
    private int AppendShort(ReadOnlySpan<byte> source, ReadOnlySpan<TextPlace> entries)
    {
        int last = source.Length - ShortOfManyBytes;
        int count = Math.Min(entries.Length, (_data.Length - _end) / (1 + ShortOfManyBytes));
        ref byte first = ref MemoryMarshal.GetReference(source);
        ref byte target = ref MemoryMarshal.GetArrayDataReference(_data);
        (int start, int end) = (_start, _end);
        for (int i = 0; i < count; i++)
        {
            TextPlace entry = entries[i];
            if (entry.Length > ShortOfManyBytes || entry.Start > last)
            {
                count = i;
                break;
            }

            start = end;
            end = PutShort(ref first, entry, ref target, end);
        }

        (_start, _end) = (start, end);
        return count;
    }

    private int AppendShort(ReadOnlySpan<byte> source, ReadOnlySpan<TextPlace> entries, ReadOnlySpan<int> indexes)
    {
        int last = source.Length - ShortOfManyBytes;
        int count = Math.Min(indexes.Length, (_data.Length - _end) / (1 + ShortOfManyBytes));
        ref byte first = ref MemoryMarshal.GetReference(source);
        ref byte target = ref MemoryMarshal.GetArrayDataReference(_data);
        (int start, int end) = (_start, _end);
        for (int i = 0; i < count; i++)
        {
            TextPlace entry = entries[indexes[i]];
            if (entry.Length > ShortOfManyBytes || entry.Start > last)
            {
                count = i;
                break;
            }

            start = end;
            end = PutShort(ref first, entry, ref target, end);
        }

        (_start, _end) = (start, end);
        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int PutShort(ref byte source, TextPlace entry, ref byte target, int at)
    {
        ref byte text = ref Unsafe.Add(ref source, (nint)(uint)entry.Start);
        ref byte place = ref Unsafe.Add(ref target, (nint)(uint)at);
        place = (byte)entry.Length;
        Vector256.LoadUnsafe(ref text).StoreUnsafe(ref place, 1);
        if (entry.Length > ShortBytes)
        {
            Vector256.LoadUnsafe(ref text, ShortBytes).StoreUnsafe(ref place, 1 + ShortBytes);
        }

        return at + 1 + entry.Length;
    }

    private void Append(ReadOnlySpan<byte> source, TextPlace entry)
    {
        ref byte first = ref Unsafe.Add(ref MemoryMarshal.GetReference(source), entry.Start);
        TryAppendSlow(ref first, entry.Length, validate: false);
    }
}
