namespace Ingest.Log;

/// <summary>What the index says of one block.</summary>
/// <param name="Offset">Place of the block in the data file, bytes.</param>
/// <param name="Length">Bytes of the block; 0 when all its rows were rejected.</param>
/// <param name="Rows">Rows in the block.</param>
/// <param name="Crc">CRC-32C of the block's bytes.</param>
/// <param name="Entries">The producers' offsets in it.</param>
/// <param name="BeginsGroup">Whether a group begins with it, so that all before it was durable when it was written.</param>
internal sealed record BlockRecord(
    long Offset, int Length, int Rows, uint Crc, IReadOnlyList<ProducerEntry> Entries, bool BeginsGroup = false)
{
    /// <summary>Place behind the block in the data file.</summary>
    public long End => Offset + Length;
}
