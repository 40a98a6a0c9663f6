namespace Ingest.Log.Inspection;

/// <summary>What a piece in quarantine is.</summary>
public enum QuarantineKind
{
    /// <summary>A damaged stretch of a segment, or what stood behind its last good block.</summary>
    Block,

    /// <summary>A whole segment.</summary>
    Segment,

    /// <summary>Rows of a segment that the store refused, among them bad ones that were not told apart.</summary>
    RefusedRows,

    /// <summary>A producer file in which something was damaged; it was written anew.</summary>
    Producers,
}
