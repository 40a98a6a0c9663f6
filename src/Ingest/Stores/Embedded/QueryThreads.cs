using System.Collections.Concurrent;

namespace Ingest.Stores.Embedded;

/// <summary>The threads that queries run on; a query has one to itself from its first to its last call.</summary>
internal sealed class QueryThreads : IAsyncDisposable
{
    private readonly ConcurrentBag<StoreThread> _free = [];
    private readonly SemaphoreSlim _count;
    private readonly int _size;

    public QueryThreads(int size, Action first)
    {
        _size = Math.Max(1, size);
        _count = new SemaphoreSlim(_size);
        for (int i = 0; i < _size; i++)
        {
            _free.Add(new StoreThread($"store query {i}", first));
        }
    }

    /// <summary>Waits for a free thread.</summary>
    public async Task<StoreThread> TakeAsync(CancellationToken cancellationToken)
    {
        await _count.WaitAsync(cancellationToken);
        return _free.TryTake(out StoreThread? thread)
            ? thread
            : throw new InvalidOperationException("A query thread was given back twice.");
    }

    /// <summary>Gives a thread back.</summary>
    public void Return(StoreThread thread)
    {
        _free.Add(thread);
        _count.Release();
    }

    /// <summary>Waits for the queries that run and ends the threads.</summary>
    public async ValueTask DisposeAsync()
    {
        for (int i = 0; i < _size; i++)
        {
            StoreThread thread = await TakeAsync(CancellationToken.None);
            await thread.DisposeAsync();
        }

        _count.Dispose();
    }
}
