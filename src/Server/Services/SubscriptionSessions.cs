using Ingest.Admission;

namespace Ingest.Server.Services;

/// <summary>
/// The subscriptions over gRPC: counts them against their limits, and looks at all of them now and then, for those that
/// want a heartbeat and those that are not read.
/// </summary>
/// <remarks>
/// One timer for all: a timer of its own would cost a subscription more memory than its place in a topic. Any thread may
/// use it.
/// </remarks>
internal sealed class SubscriptionSessions : IDisposable
{
    /// <summary>Looks in the shorter of the two times that are looked for: how late one may be noticed.</summary>
    private const int LooksPerPeriod = 8;

    /// <summary>
    /// Bytes that a subscriber is written before they are flushed: with the message that goes over it four blocks of the
    /// transport. A flush costs some 10 µs whatever its size; with 14 KiB a delivery to one of 1,000 takes twice the CPU
    /// (bench/Fanout).
    /// </summary>
    private const int FullTurnBytes = 62 * 1024;

    /// <summary>The same while memory is short: one block, which is what those that do not read hold.</summary>
    private const int ShortTurnBytes = 14 * 1024;

    private static readonly TimeSpan s_mostOften = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_leastOften = TimeSpan.FromSeconds(1);

    private readonly AdmissionControl _admission;
    private readonly Lock _gate = new();
    private readonly List<SubscriptionSession> _sessions = [];
    private readonly Dictionary<string, Sender> _senders = new(StringComparer.Ordinal);
    private readonly List<SubscriptionSession> _due = [];
    private readonly CancellationTokenRegistration _onDrain;
    private readonly ITimer _timer;
    private ITimer? _drainTimer;
    private int _count;
    private int _looking;
    private long _unreadBytes;
    private long _unreadEnds;
    private long _refusals;
    private volatile DrainStage _stage;

    public SubscriptionSessions(
        SubscribeOptions options, AdmissionControl admission, TimeProvider time, CancellationToken draining)
    {
        Options = options;
        Time = time;
        _admission = admission;
        TimeSpan shorter = options.HeartbeatPeriod < options.StallTimeout ? options.HeartbeatPeriod : options.StallTimeout;
        TimeSpan period = TimeSpan.FromTicks(
            Math.Clamp(shorter.Ticks / LooksPerPeriod, s_mostOften.Ticks, s_leastOften.Ticks));
        _timer = time.CreateTimer(static sessions => ((SubscriptionSessions)sessions!).Look(), this, period, period);
        admission.AddBuffers(() => UnreadBytes);
        _onDrain = draining.UnsafeRegister(static sessions => ((SubscriptionSessions)sessions!).BeginDrain(), this);
    }

    /// <summary>The settings.</summary>
    public SubscribeOptions Options { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; }

    /// <summary>How far the server is on its way to its end.</summary>
    public DrainStage Stage => _stage;

    /// <summary>Bytes that a subscriber is written before they are flushed.</summary>
    public int TurnBytes => _admission.MemoryState == Pressure.Normal ? FullTurnBytes : ShortTurnBytes;

    /// <summary>Subscriptions now.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Bytes that were written and that subscribers have not taken yet.</summary>
    public long UnreadBytes => Volatile.Read(ref _unreadBytes);

    /// <summary>Subscriptions that were ended because they were not read.</summary>
    public long UnreadEnds => Volatile.Read(ref _unreadEnds);

    /// <summary>Subscriptions that were refused.</summary>
    public long Refusals => Volatile.Read(ref _refusals);

    /// <summary>Takes a place for a subscription of a sender; it is to be given back by <see cref="Sender.Leave"/>.</summary>
    /// <exception cref="Protocol.RpcException">RESOURCE_EXHAUSTED: there are too many, or memory is short.</exception>
    public Sender Enter(string sender)
    {
        Protocol.RpcException refusal;
        lock (_gate)
        {
            if (_admission.MemoryState == Pressure.Hard)
            {
                refusal = SubscribeErrors.NoMemory(_admission.NextRetryDelay());
            }
            else if (_count >= Options.MaxSubscriptions)
            {
                refusal = SubscribeErrors.TooMany(Options.MaxSubscriptions);
            }
            else
            {
                if (!_senders.TryGetValue(sender, out Sender? known))
                {
                    _senders.Add(sender, known = new Sender(this, sender));
                }

                if (known.Count < Options.MaxSubscriptionsPerSender)
                {
                    known.Count++;
                    _count++;
                    return known;
                }

                refusal = SubscribeErrors.TooManyOfSender(Options.MaxSubscriptionsPerSender);
            }
        }

        Interlocked.Increment(ref _refusals);
        throw refusal;
    }

    /// <summary>Begins to look after a session.</summary>
    public void Add(SubscriptionSession session)
    {
        lock (_gate)
        {
            session.Place = _sessions.Count;
            _sessions.Add(session);
        }
    }

    /// <summary>Looks after it no more.</summary>
    public void Remove(SubscriptionSession session)
    {
        lock (_gate)
        {
            SubscriptionSession last = _sessions[^1];
            _sessions[session.Place] = last;
            last.Place = session.Place;
            _sessions.RemoveAt(_sessions.Count - 1);
        }
    }

    /// <summary>Counts bytes that a subscriber has to take, or has taken.</summary>
    public void AddUnread(long bytes) => Interlocked.Add(ref _unreadBytes, bytes);

    /// <inheritdoc/>
    public void Dispose()
    {
        _onDrain.Dispose();
        _timer.Dispose();
        _drainTimer?.Dispose();
    }

    private void Look()
    {
        // A look that takes longer than the period, on a machine that stands still, is not joined by the next.
        if (Interlocked.Exchange(ref _looking, 1) != 0)
        {
            return;
        }

        long now = Time.GetTimestamp();
        lock (_gate)
        {
            foreach (SubscriptionSession session in _sessions)
            {
                if (session.IsDue(now))
                {
                    _due.Add(session);
                }
            }
        }

        foreach (SubscriptionSession session in _due)
        {
            if (session.Remind(now))
            {
                Interlocked.Increment(ref _unreadEnds);
            }
        }

        _due.Clear();
        Volatile.Write(ref _looking, 0);
    }

    private void BeginDrain()
    {
        Enter(DrainStage.Told);
        _drainTimer = Time.CreateTimer(
            static sessions => ((SubscriptionSessions)sessions!).Enter(DrainStage.Over), this, Options.DrainDelay,
            Timeout.InfiniteTimeSpan);
    }

    private void Enter(DrainStage stage)
    {
        _stage = stage;
        SubscriptionSession[] sessions;
        lock (_gate)
        {
            sessions = [.. _sessions];
        }

        foreach (SubscriptionSession session in sessions)
        {
            session.Wake();
        }
    }

    /// <summary>The subscriptions of one sender.</summary>
    internal sealed class Sender(SubscriptionSessions sessions, string key)
    {
        /// <summary>How many; under the lock.</summary>
        public int Count { get; set; }

        /// <summary>Gives a place back.</summary>
        public void Leave()
        {
            lock (sessions._gate)
            {
                sessions._count--;
                if (--Count == 0)
                {
                    sessions._senders.Remove(key);
                }
            }
        }
    }
}
