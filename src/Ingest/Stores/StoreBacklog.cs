using Ingest.Log;
using Ingest.Stores.Poison;

namespace Ingest.Stores;

/// <summary>Counts what the store writer does; thread-safe.</summary>
internal sealed class StoreBacklog(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<ulong, SealedSegment> _waiting = [];
    private StoreWriterStatus _done = new(0, 0, 0, 0, 0, 0, 0, 0, 0, TimeSpan.Zero);
    private long _waitingBytes;

    /// <summary>A segment has come.</summary>
    public void Add(SealedSegment segment)
    {
        lock (_lock)
        {
            if (_waiting.TryAdd(segment.SegmentId, segment))
            {
                _waitingBytes += segment.Length;
            }
        }
    }

    /// <summary>A try failed.</summary>
    public void CountFailure()
    {
        lock (_lock)
        {
            _done = _done with { Failures = _done.Failures + 1 };
        }
    }

    /// <summary>A segment is in the store.</summary>
    public void CountStored(SealedSegment segment, bool inserted)
    {
        lock (_lock)
        {
            Remove(segment);
            _done = _done with
            {
                Rows = _done.Rows + segment.Rows,
                Bytes = _done.Bytes + segment.Length,
                Inserts = _done.Inserts + (inserted ? 1 : 0),
                AlreadyStored = _done.AlreadyStored + (inserted ? 0 : 1),
            };
        }
    }

    /// <summary>A segment was set aside.</summary>
    public void CountQuarantined(SealedSegment segment)
    {
        lock (_lock)
        {
            Remove(segment);
            _done = _done with { Quarantined = _done.Quarantined + 1 };
        }
    }

    /// <summary>A segment that was refused has been taken apart.</summary>
    public void CountBisected(SealedSegment segment, BisectionReport report)
    {
        lock (_lock)
        {
            Remove(segment);
            _done = _done with
            {
                Rows = _done.Rows + report.StoredRows,
                DeadLetters = _done.DeadLetters + report.DeadLetters,
                Quarantined = _done.Quarantined + (report.Place is null ? 0 : 1),
            };
        }
    }

    /// <summary>The counts now.</summary>
    public StoreWriterStatus Read()
    {
        lock (_lock)
        {
            TimeSpan lag = TimeSpan.Zero;
            foreach (ulong oldest in _waiting.Keys)
            {
                lag = time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds((long)(oldest >> 22));
                break;
            }

            return _done with
            {
                WaitingSegments = _waiting.Count,
                WaitingBytes = _waitingBytes,
                Lag = lag < TimeSpan.Zero ? TimeSpan.Zero : lag,
            };
        }
    }

    private void Remove(SealedSegment segment)
    {
        if (_waiting.Remove(segment.SegmentId))
        {
            _waitingBytes -= segment.Length;
        }
    }
}
