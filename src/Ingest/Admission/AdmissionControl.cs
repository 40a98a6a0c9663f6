using Ingest.Log;
using Ingest.V1;
using Microsoft.Extensions.Logging;

namespace Ingest.Admission;

/// <summary>
/// Decides what the server takes: watches its memory and the log's disk, slows senders when one runs short, refuses
/// their rows when it has run out, and sees to it that each sender has its share.
/// </summary>
/// <remarks>
/// Asked by streams at every turn, on their threads: that side reads a few fields. A timer looks at the memory ten
/// times a second; the log is looked at after each turn, since a fast sender fills a small limit within one tick.
/// </remarks>
public sealed class AdmissionControl : IDisposable
{
    private const double HardShareOfMemory = 0.95;
    private const double HardShareOfLog = 1;
    private const double DefaultShareOfMachine = 0.75;
    private const double LeastDelay = 0.1;

    /// <summary>What a row costs at least: a rejected one is kept, told and counted.</summary>
    private const long LeastRowBytes = 256;

    /// <summary>A stream that wants a pause shorter than this gets none: timers are no finer.</summary>
    private static readonly TimeSpan s_shortestPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_diskLook = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_reminder = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_collectEvery = TimeSpan.FromSeconds(10);

    private readonly AdmissionOptions _options;
    private readonly SegmentLog _log;
    private readonly ILogger _logger;
    private readonly ProcessMemory _process = new();
    private readonly Func<long> _readMemory;
    private readonly LogSpace _space;
    private readonly SenderShares _shares;
    private volatile Func<long>[] _buffers;
    private readonly Lock _gate = new();
    private readonly Lock _looking = new();
    private readonly ITimer _timer;
    private readonly HashSet<Action> _watchers = [];
    private long _diskLookedAt;
    private long _remindedAt;
    private long _collectedAt;
    private volatile bool _slowing;
    private volatile bool _refusing;
    private volatile bool _disposed;

    internal AdmissionControl(
        AdmissionOptions options, SegmentLog log, ILogger logger, TimeProvider time, Func<long>? readMemory = null,
        Func<string, long?>? freeBytesOf = null)
    {
        _options = options;
        _log = log;
        _logger = logger;
        Time = time;
        _readMemory = readMemory ?? _process.Read;
        _space = new LogSpace(log.Options, log.Metrics, freeBytesOf ?? LogSpace.FreeBytesOf);
        _shares = new SenderShares(Environment.ProcessorCount, time);
        MaxMemoryBytes = options.MaxMemoryBytes > 0
            ? options.MaxMemoryBytes
            : (long)(DefaultShareOfMachine * ProcessMemory.AvailableBytes);
        MaxBufferedBytes = options.MaxBufferedBytes > 0 ? options.MaxBufferedBytes : MaxMemoryBytes / 4;
        _buffers = [() => log.Metrics.QueuedBytes];
        _timer = time.CreateTimer(
            static control => ((AdmissionControl)control!).Look(), this, s_tick, s_tick);
        Look();
    }

    /// <summary>The process's memory against its limit.</summary>
    public PressureGauge Memory { get; } = new(HardShareOfMemory);

    /// <summary>What senders make the server hold in buffers against its limit.</summary>
    public PressureGauge Buffers { get; } = new(HardShareOfMemory);

    /// <summary>The log's bytes on disk against their limit.</summary>
    public PressureGauge Disk { get; } = new(HardShareOfLog);

    /// <summary>Limit of the process's memory in bytes.</summary>
    public long MaxMemoryBytes { get; }

    /// <summary>Limit of what senders make the server hold in buffers, in bytes.</summary>
    public long MaxBufferedBytes { get; }

    /// <summary>The worst of the states.</summary>
    public Pressure State => (Pressure)Math.Max((int)MemoryState, (int)Disk.State);

    /// <summary>The worse of the process's memory and the buffers.</summary>
    public Pressure MemoryState => (Pressure)Math.Max((int)Memory.State, (int)Buffers.State);

    /// <summary>Whether new rows are refused now.</summary>
    public bool Refuses => _refusing;

    /// <summary>Why new rows are refused now; unspecified when they are not.</summary>
    public RefusalReason Refusal => !_refusing ? RefusalReason.Unspecified
        : Disk.State == Pressure.Hard ? RefusalReason.Disk
        : RefusalReason.Memory;

    /// <summary>Senders that have streams now.</summary>
    public int SenderCount => _shares.Count;

    internal bool IsSlowing => _slowing;

    internal int TurnBytes => _options.TurnBytes;

    internal TimeProvider Time { get; }

    /// <summary>How long a refused sender is asked to wait: not all the same, or they would be back at once.</summary>
    public TimeSpan NextRetryDelay() => _options.RetryDelay * (1 + Random.Shared.NextDouble());

    /// <summary>
    /// As <see cref="NextRetryDelay()"/>; at the log's limit shorter for a sender that has used less than its part, since
    /// there is room for it soon.
    /// </summary>
    internal TimeSpan NextRetryDelay(SenderShare share) => MemoryState == Pressure.Hard
        ? NextRetryDelay()
        : NextRetryDelay() * Math.Clamp(_shares.UsedParts(share), LeastDelay, 1);

    /// <summary>
    /// Why rows of a sender are refused now; unspecified when they are not. Between the mark where the log's limit is
    /// reached and the one where refusing ends there is room, and it is for those who have used less than their part.
    /// </summary>
    internal RefusalReason RefusalOf(SenderShare share) =>
        !_refusing || (MemoryState != Pressure.Hard && Disk.UsedBytes < Disk.LimitBytes
            && _shares.UsedParts(share) <= 1)
            ? RefusalReason.Unspecified
            : Refusal;

    /// <summary>Rows of a table that one request may have.</summary>
    internal int MaxRequestRows(long emptyRowBytes) =>
        (int)Math.Min(int.MaxValue, _options.MaxRequestRowsBytes / Math.Max(LeastRowBytes, emptyRowBytes));

    /// <summary>Adds something that holds bytes for senders. To be called before there are any.</summary>
    public void AddBuffers(Func<long> bytes)
    {
        // The timer looks from the start on, so what it looks through never changes.
        lock (_gate)
        {
            _buffers = [.. _buffers, bytes];
        }
    }

    /// <summary>Has something called when the state has changed, and once a second while it is not normal.</summary>
    /// <param name="changed">Called on any thread; must not wait.</param>
    public void Watch(Action changed)
    {
        lock (_gate)
        {
            _watchers.Add(changed);
        }
    }

    /// <summary>Undoes <see cref="Watch"/>.</summary>
    public void Unwatch(Action changed)
    {
        lock (_gate)
        {
            _watchers.Remove(changed);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _timer.Dispose();
        lock (_looking)
        {
            _process.Dispose();
        }
    }

    internal StreamTurns Join(string sender, Lane lane, Lane deadLetters) =>
        new(this, _shares.Join(sender), lane, deadLetters);

    internal void Leave(SenderShare share) => _shares.Leave(share);

    /// <summary>How long a sender pauses before a turn.</summary>
    internal TimeSpan PauseOf(SenderShare share)
    {
        double level = Math.Max(Disk.Level, Math.Max(Memory.Level, Buffers.Level));
        double weight = Math.Min(1, _shares.RecentParts(share));
        TimeSpan pause = _options.MaxPause * level * weight;
        return _refusing || pause < s_shortestPause ? TimeSpan.Zero : pause;
    }

    /// <summary>Looks whether the log has come near its limit; after each turn.</summary>
    internal void LookAtLog()
    {
        if (_log.Options.Enabled && (_slowing || _space.UsedBytes >= Disk.SoftBytes) && _looking.TryEnter())
        {
            try
            {
                UpdateLog();
            }
            finally
            {
                _looking.Exit();
            }
        }
    }

    /// <summary>Looks at everything; ten times a second.</summary>
    internal void Look()
    {
        // A tick that comes while the last one still looks, on a machine that stands still, is left out.
        if (!_looking.TryEnter())
        {
            return;
        }

        try
        {
            if (_disposed)
            {
                return;
            }

            UpdateMemory();
            if (_log.Options.Enabled)
            {
                if (Time.GetElapsedTime(_diskLookedAt) >= s_diskLook || _diskLookedAt == 0)
                {
                    _diskLookedAt = Time.GetTimestamp();
                    _space.Refresh();
                }

                UpdateLog();
            }

            _shares.Fade();
            if (_slowing)
            {
                Remind();
            }
        }
        finally
        {
            _looking.Exit();
        }
    }

    private void UpdateMemory()
    {
        long buffered = 0;
        foreach (Func<long> bytes in _buffers)
        {
            buffered += bytes();
        }

        Pressure before = MemoryState;
        Memory.Update(_readMemory(), MaxMemoryBytes);
        Buffers.Update(buffered, MaxBufferedBytes);
        if (MemoryState != before)
        {
            _logger.MemoryStateChanged(
                MemoryState, Memory.UsedBytes, Memory.LimitBytes, Buffers.UsedBytes, Buffers.LimitBytes);
            Tell();
        }

        if (Memory.State != Pressure.Normal && Time.GetElapsedTime(_collectedAt) >= s_collectEvery)
        {
            // What was let go of counts until it is collected, and refused senders give the collector no reason to.
            _collectedAt = Time.GetTimestamp();
            bool hard = Memory.State == Pressure.Hard;
            GC.Collect(
                GC.MaxGeneration, hard ? GCCollectionMode.Aggressive : GCCollectionMode.Forced, blocking: hard,
                compacting: hard);
        }
    }

    private void UpdateLog()
    {
        if (Disk.Update(_space.UsedBytes, _space.LimitBytes))
        {
            _logger.LogStateChanged(Disk.State, Disk.UsedBytes, Disk.LimitBytes);
            Tell();
        }
    }

    private void Tell()
    {
        Pressure state = State;
        _slowing = state != Pressure.Normal;
        _refusing = state == Pressure.Hard;
        NotifyAll();
        _log.WakeSenders();
    }

    private void NotifyAll()
    {
        _remindedAt = Time.GetTimestamp();
        Action[] watchers;
        lock (_gate)
        {
            watchers = [.. _watchers];
        }

        foreach (Action changed in watchers)
        {
            changed();
        }
    }

    private void Remind()
    {
        if (Time.GetElapsedTime(_remindedAt) >= s_reminder)
        {
            NotifyAll();
        }
    }
}
