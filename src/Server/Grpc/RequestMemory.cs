namespace Ingest.Server.Grpc;

/// <summary>Bytes of requests that have come in part, of all calls: what clients make the server hold.</summary>
/// <remarks>
/// Only buffers of <see cref="LeastBytes"/> and more are counted: a smaller one lives for a read. At the limit a call
/// whose message needs more is refused, whatever its header promises.
/// </remarks>
internal sealed class RequestMemory
{
    /// <summary>Length from which on a buffer counts.</summary>
    public const int LeastBytes = 64 * 1024;

    private long _held;
    private long _limit = long.MaxValue;

    /// <summary>Bytes held.</summary>
    public long HeldBytes => Volatile.Read(ref _held);

    /// <summary>Whether calls may hold no more.</summary>
    public bool IsFull => Volatile.Read(ref _held) >= Volatile.Read(ref _limit);

    /// <summary>Sets the limit; there is none before.</summary>
    public void Limit(long bytes) => Volatile.Write(ref _limit, bytes);

    public void Add(long bytes) => Interlocked.Add(ref _held, bytes);
}
