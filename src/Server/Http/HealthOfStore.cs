using Ingest.Stores;

namespace Ingest.Server.Http;

/// <summary>Whether what is durable gets into the store.</summary>
internal static class HealthOfStore
{
    /// <summary>
    /// Time that the oldest sealed segment may wait for the store: far more than a segment's age and a try, and no more
    /// than people wait before they ask why their rows are not there.
    /// </summary>
    public static readonly TimeSpan MaxLag = TimeSpan.FromMinutes(1);

    /// <summary>What is wrong, or null.</summary>
    /// <param name="isAvailable">Whether the store answers.</param>
    /// <param name="status">How the writer fares: a store may answer and yet refuse what it is sent.</param>
    public static string? Fault(bool isAvailable, StoreWriterStatus status) =>
        !isAvailable ? "The store does not answer; rows wait in the log."
        : status.Lag > MaxLag
            ? $"{status.WaitingSegments} segments wait for the store, the oldest for {status.Lag.TotalSeconds:0} s; the "
                + "server's log says why."
            : null;
}
