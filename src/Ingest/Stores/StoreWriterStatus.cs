namespace Ingest.Stores;

/// <summary>What the store writer has done and has still to do.</summary>
/// <param name="Rows">Rows stored by this run of the server.</param>
/// <param name="Bytes">Bytes of the segments stored.</param>
/// <param name="Inserts">Segments inserted.</param>
/// <param name="AlreadyStored">Segments of an earlier run, or of a try that seemed to fail, that the store had.</param>
/// <param name="Failures">Tries that failed.</param>
/// <param name="Quarantined">Segments set aside, whole or in part, because the store refuses their data.</param>
/// <param name="DeadLetters">Rows that the store refused one by one: they are in <c>dead_letters</c>.</param>
/// <param name="WaitingSegments">Segments that wait for the store.</param>
/// <param name="WaitingBytes">Their bytes.</param>
/// <param name="Lag">Time since the oldest of them was opened; zero when none waits.</param>
public sealed record StoreWriterStatus(
    long Rows, long Bytes, long Inserts, long AlreadyStored, long Failures, long Quarantined, long DeadLetters,
    int WaitingSegments, long WaitingBytes, TimeSpan Lag);
