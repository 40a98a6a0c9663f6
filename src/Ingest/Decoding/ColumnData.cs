namespace Ingest.Decoding;

/// <summary>A column of a message as it was read: places in the arrays of <see cref="ColumnsScratch"/>.</summary>
internal struct ColumnData
{
    /// <summary>Rows that it has: all of the message, or 0 for a column that was left out.</summary>
    public int Rows;

    /// <summary>Strings: one a row, or one an item of a list.</summary>
    public int TextCount;

    /// <summary>Where its strings or messages begin among the entries.</summary>
    public int FirstEntry;

    /// <summary>Entries: distinct strings, or as many as <see cref="TextCount"/>.</summary>
    public int EntryCount;

    /// <summary>Where its indexes, or numbers of an enum, begin; -1 when strings come one by one.</summary>
    public int FirstNumber;

    /// <summary>Where the lengths of its lists begin.</summary>
    public int FirstLength;

    /// <summary>Where its varints, or timestamps in Unix microseconds, begin.</summary>
    public int FirstLong;

    /// <summary>Item at which the lists of the next row begin.</summary>
    public int NextItem;

    /// <summary>Where the keys of its dictionary's strings in the table's column begin; -1 is one that has none yet.</summary>
    public int FirstKey;

    /// <summary>Whether there are such keys.</summary>
    public bool HasKeys;

    /// <summary>Where the table's column of structs ended before these rows.</summary>
    public (int Count, int ItemsMark, int ValuesMark) Before;

    /// <summary>Bytes of its longest string.</summary>
    public int Longest;
}
