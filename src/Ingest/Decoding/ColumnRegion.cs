namespace Ingest.Decoding;

/// <summary>Where the values of one repeated field of a columns message lie.</summary>
internal struct ColumnRegion
{
    /// <summary>The first byte.</summary>
    public int Start;

    /// <summary>Behind the last byte.</summary>
    public int End;

    /// <summary>Bytes of the values, tags left out.</summary>
    public int Bytes;

    /// <summary>Strings or messages; of a nested message how often it came.</summary>
    public int Count;

    /// <summary>Place of the first string or message among the entries.</summary>
    public int FirstEntry;

    /// <summary>Bytes of the longest string or message.</summary>
    public int Longest;

    /// <summary>Whether a string or message has no bytes.</summary>
    public bool HasEmpty;

    /// <summary>The bytes from the first on.</summary>
    public readonly ReadOnlySpan<byte> Of(ReadOnlySpan<byte> message) => message[Start..End];
}
