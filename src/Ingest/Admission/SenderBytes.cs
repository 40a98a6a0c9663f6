namespace Ingest.Admission;

/// <summary>Bytes of requests of one sender that are decoded into one table and not durable yet, about.</summary>
/// <remarks>Added once a turn, taken off for each run of rows that became durable: it may be below 0.</remarks>
internal sealed class SenderBytes
{
    private long _bytes;

    public long Value => Volatile.Read(ref _bytes);

    public void Add(long bytes) => Interlocked.Add(ref _bytes, bytes);
}
