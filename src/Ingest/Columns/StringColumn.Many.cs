using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ingest.Columns;

// Many rows at once.
internal sealed partial class StringColumn
{
    /// <summary>Appends strings that come as a dictionary and an index for each row.</summary>
    /// <param name="source">Bytes of the strings.</param>
    /// <param name="entries">Where the strings of the dictionary lie.</param>
    /// <param name="indexes">For each row its place in the dictionary.</param>
    public void AppendCoded(ReadOnlySpan<byte> source, ReadOnlySpan<TextPlace> entries, ReadOnlySpan<int> indexes)
    {
        foreach (int index in indexes)
        {
            Append(source, entries[index]);
        }
    }

    /// <summary>Appends strings that come one by one.</summary>
    public void AppendEach(ReadOnlySpan<byte> source, ReadOnlySpan<TextPlace> entries)
    {
        foreach (TextPlace entry in entries)
        {
            Append(source, entry);
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Append(ReadOnlySpan<byte> source, TextPlace entry)
    {
        ref byte first = ref Unsafe.Add(ref MemoryMarshal.GetReference(source), entry.Start);
        TryAppend(ref first, entry.Length, source.Length - entry.Start, validate: false);
    }
}
