namespace Ingest.Stores.Poison;

/// <summary>What became of the rows of a segment that the store refused.</summary>
/// <param name="StoredRows">Rows that the store has.</param>
/// <param name="DeadLetters">Rows that stand in <c>dead_letters</c>.</param>
/// <param name="QuarantinedRows">Rows that were set aside.</param>
/// <param name="Place">Where they are; null when there are none.</param>
/// <param name="Reason">Why: the store's words about the whole segment, or what else kept rows back.</param>
internal sealed record BisectionReport(
    long StoredRows, long DeadLetters, long QuarantinedRows, string? Place, string Reason);
