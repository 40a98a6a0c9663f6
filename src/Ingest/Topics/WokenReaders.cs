using System.Collections.Concurrent;

namespace Ingest.Topics;

/// <summary>Readers that there is something for, on their way to go on; one a hub.</summary>
/// <remarks>
/// <para>Hot: once for each time that a reader is woken. Any thread adds. Threads of the pool, as many as there are
/// processors at most, take readers out, a few in a row. Each goes on there until it waits for something, so a reader
/// must not block. Then the thread stands in line again behind what else the pool has to do.</para>
/// <para>That is what it is for. If each of 10,000 readers of an update were work of the pool by itself, all of them
/// would write their messages before the first connection sent one, into as many blocks of memory: more than are kept,
/// so that collecting them took 12 % of the CPU. A few at a time, the same blocks are used again.</para>
/// <para>Bounded by the subscriptions: one that is in it waits. Allocates nothing but when it grows. Watched by
/// bench/Fanout.</para>
/// </remarks>
internal sealed class WokenReaders : IThreadPoolWorkItem
{
    /// <summary>
    /// Readers in a row. With 2 a delivery to one of 10,000 takes 1.2 to 1.4 µs of CPU, with 8 or 32 1.2 to 1.6, with
    /// no bound 1.8 to 2.1 (bench/Fanout).
    /// </summary>
    private const int ReadersPerTurn = 2;

    private static readonly int s_maxThreads = Environment.ProcessorCount;

    private readonly ConcurrentQueue<Subscription> _readers = new();
    private int _threads;

    /// <summary>Has a reader that waits go on.</summary>
    public void Add(Subscription reader)
    {
        _readers.Enqueue(reader);

        // Seen by a thread that leaves now, or it is seen here that one has left.
        Interlocked.MemoryBarrier();
        if (TryEnter())
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        for (int i = 0; i < ReadersPerTurn; i++)
        {
            Subscription? reader;
            while (!_readers.TryDequeue(out reader))
            {
                // Who has added since that look may have seen this thread here still; the decrement is a fence.
                Interlocked.Decrement(ref _threads);
                if (_readers.IsEmpty || !TryEnter())
                {
                    return;
                }
            }

            reader.GoOn();
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private bool TryEnter()
    {
        int threads = Volatile.Read(ref _threads);
        while (threads < s_maxThreads)
        {
            int seen = Interlocked.CompareExchange(ref _threads, threads + 1, threads);
            if (seen == threads)
            {
                return true;
            }

            threads = seen;
        }

        return false;
    }
}
