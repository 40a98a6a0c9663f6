namespace Ingest.Server.Http2;

/// <summary>
/// Says of a thread whose connection's calls it serves right now, so that the connection can be taken from it when one
/// of them does not come back.
/// </summary>
/// <remarks>
/// What a socket has read is parsed and handed to the calls on one thread, without waking another: that is half of what
/// this transport saves. The price would be that a call that computes for a second, or blocks, holds up its connection.
/// So <see cref="Watch"/> looks every 10 ms, while there is anything to look at, and has another thread go on with what
/// was held up since its last look. A turn costs two interlocked operations.
/// </remarks>
internal sealed class ReadingTurn
{
    private const int PeriodMilliseconds = 10;
    private const int IdlePeriods = 100;

    private static readonly Lock s_gate = new();
    private static readonly List<ReadingTurn> s_turns = [];
    private static readonly Timer s_timer = new(static _ => Watch(), null, Timeout.Infinite, Timeout.Infinite);
    private static int s_isWatching;
    private static int s_idlePeriods;

    [ThreadStatic]
    private static ReadingTurn? t_turn;

    private readonly WeakReference<Thread> _thread = new(Thread.CurrentThread);
    private Http2Connection? _connection;
    private long _number;
    private long _seen;

    private ReadingTurn()
    {
    }

    /// <summary>Begins a turn on this thread; null when the thread is in one already.</summary>
    public static ReadingTurn? Begin(Http2Connection connection)
    {
        ReadingTurn turn = t_turn ??= Register();
        if (turn._connection is not null)
        {
            return null;
        }

        Volatile.Write(ref turn._number, turn._number + 1);

        // A fence: the watch sees the turn, or it is seen here that it has stopped.
        Interlocked.Exchange(ref turn._connection, connection);
        if (Volatile.Read(ref s_isWatching) == 0)
        {
            StartWatching();
        }

        return turn;
    }

    /// <summary>Whether this thread serves the connection's calls, and has not been relieved of it.</summary>
    public static bool Holds(Http2Connection connection) =>
        t_turn is { } turn && Volatile.Read(ref turn._connection) == connection;

    /// <summary>Ends the turn.</summary>
    /// <returns>False when the connection was taken from this thread.</returns>
    public bool End(Http2Connection connection) =>
        Interlocked.CompareExchange(ref _connection, null, connection) == connection;

    private static ReadingTurn Register()
    {
        var turn = new ReadingTurn();
        lock (s_gate)
        {
            s_turns.Add(turn);
        }

        return turn;
    }

    private static void StartWatching()
    {
        if (Interlocked.Exchange(ref s_isWatching, 1) == 0)
        {
            s_idlePeriods = 0;
            s_timer.Change(PeriodMilliseconds, PeriodMilliseconds);
        }
    }

    private static void Watch()
    {
        bool isIdle = true;
        lock (s_gate)
        {
            for (int i = s_turns.Count - 1; i >= 0; i--)
            {
                ReadingTurn turn = s_turns[i];
                long number = Volatile.Read(ref turn._number);
                isIdle &= number == turn._seen && turn._connection is null;
                if (number != turn._seen)
                {
                    turn._seen = number;
                }
                else if (Volatile.Read(ref turn._connection) is { } connection
                    && Interlocked.CompareExchange(ref turn._connection, null, connection) == connection)
                {
                    connection.TakeOver();
                }
                else if (!turn._thread.TryGetTarget(out Thread? thread) || !thread.IsAlive)
                {
                    s_turns.RemoveAt(i);
                }
            }
        }

        if (!isIdle)
        {
            s_idlePeriods = 0;
        }
        else if (++s_idlePeriods >= IdlePeriods)
        {
            s_timer.Change(Timeout.Infinite, Timeout.Infinite);
            Interlocked.Exchange(ref s_isWatching, 0);
            lock (s_gate)
            {
                isIdle = s_turns.TrueForAll(static turn => Volatile.Read(ref turn._connection) is null);
            }

            if (!isIdle)
            {
                StartWatching();
            }
        }
    }
}
