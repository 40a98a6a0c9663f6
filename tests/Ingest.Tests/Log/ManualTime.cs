namespace Ingest.Tests.Log;

/// <summary>A clock that a test moves, backwards too.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
    private long _timestamp = 1;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _now;
        }
    }

    public override long GetTimestamp()
    {
        lock (_gate)
        {
            return _timestamp;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        lock (_gate)
        {
            _timers.Add(timer);
        }

        return timer;
    }

    /// <summary>Time passes; timers that are due fire.</summary>
    public void Advance(TimeSpan time)
    {
        ManualTimer[] due;
        lock (_gate)
        {
            _now += time;
            _timestamp += time.Ticks;
            due = [.. _timers.Where(timer => timer.Due <= _timestamp)];
        }

        foreach (var timer in due)
        {
            timer.Fire();
        }
    }

    /// <summary>Whether a timer is set.</summary>
    public bool HasTimerSet
    {
        get
        {
            lock (_gate)
            {
                return _timers.Any(timer => timer.Due != long.MaxValue);
            }
        }
    }

    /// <summary>All timers that are set fire, due or not.</summary>
    public void FireEarly()
    {
        ManualTimer[] set;
        lock (_gate)
        {
            set = [.. _timers.Where(timer => timer.Due != long.MaxValue)];
        }

        foreach (var timer in set)
        {
            timer.Fire();
        }
    }

    /// <summary>Someone sets the clock on the wall; no time passes.</summary>
    public void SetBack(TimeSpan time)
    {
        lock (_gate)
        {
            _now -= time;
        }
    }

    private sealed class ManualTimer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period = Timeout.InfiniteTimeSpan;

        public long Due { get; private set; } = long.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            Due = dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : time.GetTimestamp() + dueTime.Ticks;
            return true;
        }

        public void Fire()
        {
            Due = _period > TimeSpan.Zero ? time.GetTimestamp() + _period.Ticks : long.MaxValue;
            callback(state);
        }

        public void Dispose() => Due = long.MaxValue;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
