namespace Ingest.Stores.Poison;

/// <summary>What became of a piece of a segment.</summary>
internal enum PieceResult
{
    /// <summary>The store has its rows.</summary>
    Landed,

    /// <summary>The store refused it for its data, and has none of its rows.</summary>
    Refused,

    /// <summary>The store has another number of the segment's rows than it was given: nothing more is sent.</summary>
    Unclear,
}
