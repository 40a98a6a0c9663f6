namespace Ingest.Log;

/// <summary>How far producers are stored once a sealed segment, and all before it, are.</summary>
/// <param name="SegmentId">The segment.</param>
/// <param name="Producers">Producers with offsets in it, and their ends.</param>
internal sealed record SealedOffsets(ulong SegmentId, (ProducerState Producer, long End)[] Producers);
