using Ingest.Columns;

namespace Ingest.Log;

/// <content>The lane's thread: when it wakes, what it collects, when it seals.</content>
public sealed partial class Lane
{
    private const int WriterStackBytes = 512 * 1024;

    private const int Awake = 0;
    private const int Lingering = 1; // Woken by a closed batch, or when the open ones are due.
    private const int Asleep = 2; // Woken by a first row too.

    // How long a stopping lane waits for batches that streams still hold; they hold them for a turn.
    private static readonly TimeSpan s_returnGrace = TimeSpan.FromSeconds(5);

    private readonly Thread _thread;
    private readonly ITimer _sealTimer;
    private readonly object _gate = new();
    private readonly List<Batch> _group = [];
    private readonly long _linger;
    private long _collected;
    private long _lastSweep;
    private int _sleep;
    private volatile bool _sealTimerFired;

    // Full batches are written at once. The others are swept together at most once a linger: a row waits no longer than
    // that, does not wait when nothing was swept in the last one, and blocks stay few. So neither side needs a clock
    // for each batch.
    private void Run()
    {
        long? stoppedAt = null;
        while (true)
        {
            var stopping = _stopping;
            var seals = _sealRequests.Count;
            var opens = _openRequests.Count;
            Collect(everything: stopping || seals > 0 || opens > 0);
            if (_group.Count > 0)
            {
                // Streams fill batches while this thread is at the disk; only when it waits for one do they give it up.
                Volatile.Write(ref _wantedUntil, 0);
                CommitGroup();
            }

            SealWhenDue(now: stopping || seals > 0);
            AnswerSealRequests(seals);
            AnswerOpenRequests(opens);
            TakeClosedSessions();
            TakeReleases();
            if (stopping)
            {
                stoppedAt ??= _time.GetTimestamp();
                if (Open <= 0 || _time.GetElapsedTime(stoppedAt.Value) > s_returnGrace)
                {
                    End();
                    return;
                }
            }

            Wait();
        }
    }

    private long Open => Volatile.Read(ref _opened) - _collected;

    private void Collect(bool everything)
    {
        _closed.TakeAll(_group);
        _collected += _group.Count;
        var full = _group.Count > 0 && _hot;
        if (Open <= 0)
        {
            Volatile.Write(ref _wantedUntil, 0);
            return;
        }

        var now = _time.GetTimestamp();
        if (!everything && now - _lastSweep < _linger)
        {
            return;
        }

        SweepSlots();
        if (Open > 0)
        {
            // The rest is in streams' hands. They look at this when they give it back. What they open from now on is not
            // meant: until this thread has run again, which may take a while, each message would be a block of its own.
            Volatile.Write(ref _wantedUntil, now);
            Interlocked.MemoryBarrier();
            SweepSlots();
        }
        else
        {
            Volatile.Write(ref _wantedUntil, 0);
        }

        if (_group.Count > 0)
        {
            _lastSweep = now;
            _hot = full;
        }
    }

    private void SweepSlots()
    {
        for (var i = 0; i < _slots.Length; i++)
        {
            ref var slot = ref _slots[i].Batch;

            // An empty batch may stay. The look is a hint, since the batch may be taken this moment.
            if (Volatile.Read(ref slot) is not { OpenedAt: > 0 } || Interlocked.Exchange(ref slot, null) is not { } batch)
            {
                continue;
            }

            if (batch.OpenedAt == 0)
            {
                Recycle(batch);
                continue;
            }

            CountQueued(batch.ByteCount);
            _group.Add(batch);
            _collected++;
        }
    }

    private void Wait()
    {
        var open = Open > 0;
        var timeout = Timeout.Infinite;
        if (_stopping)
        {
            timeout = 10;
        }
        else if (open && _wantedUntil != 0)
        {
            // Who has it wakes this thread. What was opened meanwhile is swept after a linger.
            timeout = (int)Math.Max(1, Math.Round(_linger * 1000.0 / _time.TimestampFrequency));
        }
        else if (open)
        {
            // To the nearest millisecond: the wait has no finer one, and spinning would take a core from decoding.
            var rest = _linger - (_time.GetTimestamp() - _lastSweep);
            timeout = (int)Math.Round(rest * 1000.0 / _time.TimestampFrequency);
            if (timeout <= 0)
            {
                _lastSweep = Math.Min(_lastSweep, _time.GetTimestamp() - _linger);
                return;
            }
        }

        var state = open ? Lingering : Asleep;
        Interlocked.Exchange(ref _sleep, state);
        if (HasWork(open))
        {
            Volatile.Write(ref _sleep, Awake);
            return;
        }

        lock (_gate)
        {
            while (Volatile.Read(ref _sleep) != Awake && Monitor.Wait(_gate, timeout))
            {
            }
        }

        Volatile.Write(ref _sleep, Awake);
    }

    // Asked after the state was set, as wakers look at the state after they have left work: one of the two sees it.
    private bool HasWork(bool wasOpen)
    {
        if (!_closed.IsEmpty || !_sealRequests.IsEmpty || !_openRequests.IsEmpty || !_closedSessions.IsEmpty
            || !_releases.IsEmpty || _sealTimerFired || (_stopping && Open <= 0))
        {
            return true;
        }

        if (!wasOpen)
        {
            return Open > 0 || _stopping;
        }

        if (_wantedUntil != 0)
        {
            foreach (ref var slot in _slots.AsSpan())
            {
                if (Volatile.Read(ref slot.Batch) is { OpenedAt: > 0 } batch && batch.OpenedAt <= _wantedUntil)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private void Wake(bool urgent)
    {
        var state = Volatile.Read(ref _sleep);
        if (state == Awake || (state == Lingering && !urgent) || Interlocked.Exchange(ref _sleep, Awake) == Awake)
        {
            return;
        }

        lock (_gate)
        {
            Monitor.Pulse(_gate);
        }
    }

    private void OnSealTimer()
    {
        _sealTimerFired = true;
        Interlocked.MemoryBarrier();
        Wake(urgent: true);
    }

    private void AnswerSealRequests(int count = int.MaxValue)
    {
        while (count-- > 0 && _sealRequests.TryDequeue(out var request))
        {
            request.TrySetResult();
        }
    }

    private void End()
    {
        if (Open > 0)
        {
            LogMessages.BatchesOutstanding(_logger, Table.Name, (int)Open);
        }

        CloseSegments();
        _stopped = true;
        Interlocked.MemoryBarrier();
        RefuseLeftovers();
        AnswerSealRequests();
        RefuseOpenRequests();
        Interlocked.Exchange(ref _room, null)?.TrySetResult();
        _sealTimer.Dispose();
        _flusher?.Dispose();
        _producerFile.Dispose();
        _ended.TrySetResult();
    }

    // Also called by streams that give a batch back after the end.
    private void RefuseLeftovers()
    {
        var left = new List<Batch>();
        _closed.TakeAll(left);
        foreach (var batch in left)
        {
            CountQueued(-batch.ByteCount);
        }

        foreach (ref var slot in _slots.AsSpan())
        {
            if (Interlocked.Exchange(ref slot.Batch, null) is { } batch)
            {
                left.Add(batch);
            }
        }

        var cause = new ObjectDisposedException(nameof(SegmentLog), "the log has stopped");
        foreach (var batch in left)
        {
            Tell(batch, cause);
        }
    }
}
