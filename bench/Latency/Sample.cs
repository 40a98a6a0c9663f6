namespace Ingest.Latency;

/// <summary>A point and its prediction, milliseconds.</summary>
/// <param name="Total">From the call that sends the point to the update in the subscriber's hands.</param>
/// <param name="In">
/// Until the batch that took the point was opened: the socket, the decoder, and what the publisher's group waited.
/// </param>
/// <param name="Agent">From there until the agent emitted: the batch's wait, its flush, the agent.</param>
/// <param name="Out">From there until the subscriber had it: the update's batch, its flush, the ring, the socket.</param>
internal readonly record struct Sample(double Total, double In, double Agent, double Out);
