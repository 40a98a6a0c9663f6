namespace Ingest.Log.Inspection;

/// <summary>A piece in quarantine.</summary>
/// <param name="Name">Its name: that of its files, without extension.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Table">The table of its rows.</param>
/// <param name="SegmentId">The segment that it was in; 0 for producers.</param>
/// <param name="At">When it was set aside.</param>
/// <param name="Bytes">Bytes of data.</param>
/// <param name="Blocks">Blocks that can be read.</param>
/// <param name="Rows">Rows in them.</param>
/// <param name="Reason">Why it was set aside, when that was written down.</param>
/// <param name="Fault">What is wrong with its bytes; null when every checksum holds.</param>
public sealed record QuarantinedPiece(
    string Name, QuarantineKind Kind, string Table, ulong SegmentId, DateTimeOffset At, long Bytes, int Blocks, long Rows,
    string Reason, string? Fault);
