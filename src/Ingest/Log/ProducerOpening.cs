namespace Ingest.Log;

/// <summary>What a lane answers to a producer that opens a session.</summary>
/// <param name="Result">Whether the session is the producer's current one.</param>
/// <param name="DurableOffset">First offset that is not durable: where the producer goes on.</param>
/// <param name="StoredOffset">First offset that the store does not have.</param>
/// <param name="IsKnown">Whether offsets of the producer are known; not of a new one, or one that has expired.</param>
/// <param name="Epoch">Session number of the current session; the other one's, when this one is too old.</param>
public readonly record struct ProducerOpening(
    ProducerOpenResult Result, long DurableOffset, long StoredOffset, bool IsKnown, long Epoch);
