namespace Ingest.Stores.Poison;

/// <summary>What became of a piece of a segment.</summary>
/// <param name="Rows">The piece.</param>
/// <param name="Result">What became of it.</param>
/// <param name="Reason">Why it was refused, the store's own words; else empty.</param>
internal sealed record PieceOutcome(RowRange Rows, PieceResult Result, string Reason = "");
