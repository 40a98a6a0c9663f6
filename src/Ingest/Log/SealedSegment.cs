using Ingest.Schema;

namespace Ingest.Log;

/// <summary>
/// A closed segment of the log: a file of Native blocks of one table, the body of exactly one INSERT. It never changes.
/// </summary>
/// <param name="Table">The table that its rows belong to.</param>
/// <param name="SegmentId">Unix milliseconds at which it was opened, shifted left by 22, and random bits.</param>
/// <param name="Path">Path of the data file.</param>
/// <param name="Length">Length of the data file in bytes.</param>
/// <param name="Rows">Rows in it; more than zero.</param>
/// <param name="Token">
/// Insert deduplication token: directory UUID / table / segment id / content hash. Never reused for other bytes.
/// </param>
/// <param name="Recovered">
/// Whether an earlier run of the server wrote it and may have inserted it already; the store is asked first.
/// </param>
public sealed record SealedSegment(
    TableSchema Table, ulong SegmentId, string Path, long Length, long Rows, string Token, bool Recovered);
