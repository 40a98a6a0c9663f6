using System.Collections.Concurrent;
using Ingest.Server.Grpc;

namespace Ingest.Server.Realtime;

/// <summary>Who is connected: counted, told when the server stops, and looked after once a second.</summary>
/// <remarks>
/// Safe for use by several threads at once. A connection counts as a call of the <see cref="Drain"/>, which so waits
/// until it was closed politely, and cuts off what has not ended when its grace time is over.
/// </remarks>
internal sealed class RealtimeConnections : IDisposable
{
    private static readonly TimeSpan s_tick = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<RealtimeConnection, bool> _all = new();
    private readonly Drain _drain;
    private readonly int _max;
    private readonly ITimer _timer;
    private readonly CancellationTokenRegistration _onDrain;
    private readonly CancellationTokenRegistration _onGraceOver;
    private int _count;

    public RealtimeConnections(RealtimeOptions options, Drain drain, TimeProvider time)
    {
        _max = options.MaxConnections;
        _drain = drain;
        _timer = time.CreateTimer(_ => Tick(), null, s_tick, s_tick);
        _onDrain = drain.Started.Register(StartDrain);
        _onGraceOver = drain.GraceOver.Register(AbortAll);
    }

    /// <summary>Connections now.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The connections.</summary>
    public IEnumerable<RealtimeConnection> All => _all.Select(pair => pair.Key);

    /// <summary>Makes room for a connection.</summary>
    /// <returns>Why there is none, or null; then <see cref="Leave"/> has to be called.</returns>
    public string? TryEnter()
    {
        if (Interlocked.Increment(ref _count) > _max)
        {
            Interlocked.Decrement(ref _count);
            return "There are too many connections.";
        }

        if (_drain.TryEnter(whileDraining: false))
        {
            return null;
        }

        Interlocked.Decrement(ref _count);
        return "The server is about to stop.";
    }

    /// <summary>Gives the room back.</summary>
    public void Leave()
    {
        Interlocked.Decrement(ref _count);
        _drain.Exit();
    }

    /// <summary>Adds a connection, from when it can be told things.</summary>
    public void Add(RealtimeConnection connection)
    {
        _all[connection] = true;
        if (_drain.Started.IsCancellationRequested)
        {
            // It came between the look at the drain and its start.
            _ = connection.DrainAsync();
        }
    }

    /// <summary>Takes a connection out.</summary>
    public void Remove(RealtimeConnection connection) => _all.TryRemove(connection, out _);

    /// <summary>Says something to all, and waits for nobody.</summary>
    public void Broadcast(ReadOnlyMemory<byte> message)
    {
        foreach (RealtimeConnection connection in All)
        {
            connection.Broadcast(message);
        }
    }

    public void Dispose()
    {
        _onDrain.Dispose();
        _onGraceOver.Dispose();
        _timer.Dispose();
    }

    private void Tick()
    {
        foreach (RealtimeConnection connection in All)
        {
            connection.OnTick();
        }
    }

    // Not on the thread that stops the server: it has others to tell.
    private void StartDrain() => ThreadPool.UnsafeQueueUserWorkItem(
        static all =>
        {
            foreach (RealtimeConnection connection in all.All)
            {
                _ = connection.DrainAsync();
            }
        },
        this, preferLocal: false);

    private void AbortAll()
    {
        foreach (RealtimeConnection connection in All)
        {
            connection.Abort();
        }
    }
}
