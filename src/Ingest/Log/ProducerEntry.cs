namespace Ingest.Log;

/// <summary>Offsets of one producer that a block contains, as the index keeps them.</summary>
/// <param name="ProducerId">The producer's stable id; never empty.</param>
/// <param name="SessionEpoch">Session number of the producer.</param>
/// <param name="FirstOffset">First offset, rejected rows counted.</param>
/// <param name="OffsetCount">Offsets covered: accepted and rejected rows.</param>
/// <param name="FirstRow">Place of the first accepted row in the block.</param>
/// <param name="RowCount">Accepted rows in the block.</param>
internal readonly record struct ProducerEntry(
    string ProducerId, long SessionEpoch, long FirstOffset, int OffsetCount, int FirstRow, int RowCount);
