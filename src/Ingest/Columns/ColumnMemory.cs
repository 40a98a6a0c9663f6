namespace Ingest.Columns;

/// <summary>How column memory grows and shrinks.</summary>
internal static class ColumnMemory
{
    /// <summary>Gives the array room for <paramref name="needed"/> elements, twice what it had at least.</summary>
    public static void Grow<T>(ref T[] array, int needed, int first)
    {
        // What one message adds stays below 2^31, since a message is at most that long.
        int size = (int)Math.Min(Math.Max(Math.Max((long)array.Length * 2, needed), first), Array.MaxLength);
        var grown = GC.AllocateUninitializedArray<T>(size);
        Array.Copy(array, grown, array.Length);
        array = grown;
    }

    /// <summary>Moves what follows <paramref name="count"/> elements, up to <paramref name="end"/>, into their place.</summary>
    public static void Remove<T>(T[] array, int first, int count, int end) =>
        array.AsSpan((first + count)..end).CopyTo(array.AsSpan(first));

    /// <summary>Lets go of an array that one large message has blown up.</summary>
    public static void Shrink<T>(ref T[] array, int kept)
    {
        if (array.Length > kept)
        {
            array = [];
        }
    }
}
