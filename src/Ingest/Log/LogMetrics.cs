namespace Ingest.Log;

/// <summary>What the log has done and holds, all tables together. Read from any thread.</summary>
public sealed class LogMetrics
{
    private long _rows;
    private long _bytes;
    private long _blocks;
    private long _groups;
    private long _failedGroups;
    private long _sealedSegments;
    private long _openSegments;
    private long _openBytes;
    private long _unreleasedSegments;
    private long _unreleasedBytes;
    private long _queuedBytes;
    private int _failingTables;

    /// <summary>
    /// Raised on a lane's writer thread after each group's flush, with the table and the time it took. A handler counts;
    /// it must not throw or wait.
    /// </summary>
    public event Action<string, TimeSpan>? Flushed;

    /// <summary>
    /// Raised on a lane's writer thread when a batch's senders have been told that it is durable, with the table and the
    /// time since the batch's first row came.
    /// </summary>
    public event Action<string, TimeSpan>? Acknowledged;

    /// <summary>Rows made durable since the start.</summary>
    public long Rows => Volatile.Read(ref _rows);

    /// <summary>Bytes of blocks made durable since the start.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Blocks made durable since the start.</summary>
    public long Blocks => Volatile.Read(ref _blocks);

    /// <summary>Groups made durable since the start; a flush of two files each.</summary>
    public long Groups => Volatile.Read(ref _groups);

    /// <summary>Groups that the disk refused since the start.</summary>
    public long FailedGroups => Volatile.Read(ref _failedGroups);

    /// <summary>Whether there is a table of which the disk refused the last group.</summary>
    public bool Failing => Volatile.Read(ref _failingTables) > 0;

    /// <summary>Segments sealed since the start, recovered ones included.</summary>
    public long SealedSegments => Volatile.Read(ref _sealedSegments);

    /// <summary>Segments that are open now.</summary>
    public long OpenSegments => Volatile.Read(ref _openSegments);

    /// <summary>Durable bytes of blocks in open segments.</summary>
    public long OpenBytes => Volatile.Read(ref _openBytes);

    /// <summary>Sealed segments that the store does not have yet.</summary>
    public long UnreleasedSegments => Volatile.Read(ref _unreleasedSegments);

    /// <summary>Bytes of blocks in sealed segments that the store does not have yet.</summary>
    public long UnreleasedBytes => Volatile.Read(ref _unreleasedBytes);

    /// <summary>Bytes of batches that are closed and not yet durable, about.</summary>
    public long QueuedBytes => Volatile.Read(ref _queuedBytes);

    internal void OnQueued(long bytes) => Interlocked.Add(ref _queuedBytes, bytes);

    internal void OnOpened() => Interlocked.Increment(ref _openSegments);

    /// <summary>Whether anyone wants to hear of <see cref="Acknowledged"/>; if not, nobody need read the clock.</summary>
    internal bool TimesAcknowledgements => Acknowledged is not null;

    internal void OnAcknowledged(string table, TimeSpan latency) => Acknowledged?.Invoke(table, latency);

    internal void OnCommitted(string table, int blocks, long rows, long bytes, TimeSpan flush)
    {
        Interlocked.Increment(ref _groups);
        Interlocked.Add(ref _blocks, blocks);
        Interlocked.Add(ref _rows, rows);
        Interlocked.Add(ref _bytes, bytes);
        Interlocked.Add(ref _openBytes, bytes);
        Flushed?.Invoke(table, flush);
    }

    internal void OnFailed() => Interlocked.Increment(ref _failedGroups);

    /// <summary>The disk has begun or ceased to refuse a table's groups.</summary>
    internal void OnFailing(bool failing) => Interlocked.Add(ref _failingTables, failing ? 1 : -1);

    // Counted on before it is counted off: until it is published the producers' file is written, and a segment that
    // nothing counts would make a log that has rows for the store look empty.
    internal void OnClosed(long bytes, bool isSealed)
    {
        if (isSealed)
        {
            OnSealed(bytes);
        }

        Interlocked.Decrement(ref _openSegments);
        Interlocked.Add(ref _openBytes, -bytes);
    }

    internal void OnSealed(long bytes)
    {
        Interlocked.Increment(ref _sealedSegments);
        Interlocked.Increment(ref _unreleasedSegments);
        Interlocked.Add(ref _unreleasedBytes, bytes);
    }

    internal void OnReleased(long bytes)
    {
        Interlocked.Decrement(ref _unreleasedSegments);
        Interlocked.Add(ref _unreleasedBytes, -bytes);
    }
}
