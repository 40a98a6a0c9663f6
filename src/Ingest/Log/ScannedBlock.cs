namespace Ingest.Log;

/// <summary>A stretch of a segment's data file as a scan found it.</summary>
/// <param name="Record">What the index says of it; null when its record is damaged.</param>
/// <param name="IndexOffset">Place of the record in the index file, bytes.</param>
/// <param name="IndexLength">Bytes of the record.</param>
/// <param name="Offset">Place in the data file, bytes.</param>
/// <param name="Length">Bytes in the data file.</param>
/// <param name="Fault">What is wrong with it, for people; null when it is good.</param>
internal sealed record ScannedBlock(
    BlockRecord? Record, int IndexOffset, int IndexLength, long Offset, long Length, string? Fault)
{
    /// <summary>Rows in it, as far as known.</summary>
    public int Rows => Record?.Rows ?? 0;
}
