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
        foreach (int number in numbers)
        {
            WriteEnum(row++, number);
        }
    }
}
