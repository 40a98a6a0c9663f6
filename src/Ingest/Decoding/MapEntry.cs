namespace Ingest.Decoding;

/// <summary>An entry of a map: its key, and where its value lies on the wire.</summary>
internal struct MapEntry
{
    /// <summary>Where a key that is text begins.</summary>
    public int KeyAt;

    public int KeyLength;

    /// <summary>A key that is a number, as the column has it.</summary>
    public ulong Key;

    public bool HasTextKey;

    /// <summary>Whether no later entry has the same key.</summary>
    public bool IsLive;

    /// <summary>Where the value begins, its length included; -1 when there is none.</summary>
    public int ValueAt;

    /// <summary>Where the entry ends.</summary>
    public int End;
}
