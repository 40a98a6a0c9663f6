using System.Diagnostics;

namespace Ingest.Fanout;

/// <summary>Reads all subscribers on one thread.</summary>
internal sealed class Receiver : IDisposable
{
    private const int ReadBytes = 256 * 1024;

    private readonly List<Subscriber> _subscribers = [];
    private readonly Epoll _epoll = new();
    private readonly Thread _thread;
    private volatile bool _stopping;
    private volatile Exception? _fault;

    public Receiver()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "receiver" };
        _thread.Start();
    }

    /// <summary>The subscribers.</summary>
    public IReadOnlyList<Subscriber> Subscribers => _subscribers;

    /// <summary>Adds a subscriber and waits until it is ready.</summary>
    public void Add(Subscriber subscriber)
    {
        int number;
        lock (_subscribers)
        {
            number = _subscribers.Count;
            _subscribers.Add(subscriber);
        }

        _epoll.Watch(subscriber.Socket, number);
        var clock = Stopwatch.StartNew();
        while (!subscriber.IsReady)
        {
            ThrowIfFailed();
            if (clock.Elapsed > TimeSpan.FromSeconds(20))
            {
                throw new TimeoutException($"Subscriber {number} was not started.");
            }

            Thread.Yield();
        }
    }

    /// <summary>Counts from here on: what was received so far was received by all that there were then.</summary>
    public void Mark()
    {
        foreach (Subscriber subscriber in _subscribers)
        {
            subscriber.Mark();
        }
    }

    /// <summary>Fewest updates that a connection got since the mark.</summary>
    public long Least()
    {
        ThrowIfFailed();
        long least = long.MaxValue;
        foreach (Subscriber subscriber in _subscribers)
        {
            least = Math.Min(least, subscriber.Received);
        }

        return least;
    }

    /// <summary>Updates of all since the mark.</summary>
    public long Total()
    {
        long total = 0;
        foreach (Subscriber subscriber in _subscribers)
        {
            total += subscriber.Received;
        }

        return total;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping = true;
        _thread.Join();
        foreach (Subscriber subscriber in _subscribers)
        {
            subscriber.Dispose();
        }

        _epoll.Dispose();
    }

    private void ThrowIfFailed()
    {
        if (_fault is { } fault)
        {
            throw new InvalidOperationException($"The receiver failed: {fault.Message}", fault);
        }
    }

    private void Run()
    {
        byte[] buffer = GC.AllocateArray<byte>(Subscriber.Head + ReadBytes, pinned: true);
        try
        {
            while (!_stopping)
            {
                foreach (Epoll.Event ready in _epoll.Wait(milliseconds: 50))
                {
                    Subscriber subscriber;
                    lock (_subscribers)
                    {
                        subscriber = _subscribers[(int)ready.Data];
                    }

                    int count = Epoll.Read(subscriber.Socket, buffer.AsSpan(Subscriber.Head));
                    if (count == 0)
                    {
                        throw new EndOfStreamException($"Subscriber {ready.Data} was disconnected.");
                    }

                    if (count > 0)
                    {
                        subscriber.Take(buffer, count);
                    }
                }
            }
        }
        catch (Exception fault)
        {
            _fault = fault;
        }
    }
}
