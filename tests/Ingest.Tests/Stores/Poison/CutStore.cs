using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;

namespace Ingest.Tests.Stores.Poison;

/// <summary>A real store whose client dies at a chosen insert: before it, or after it and before it hears of it.</summary>
internal sealed class CutStore(IStore store, int insert, bool afterwards) : IStore
{
    private int _inserts;

    /// <summary>Completes when the client is dead.</summary>
    public TaskCompletionSource Dead { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Description => store.Description;

    public Task<bool> IsAvailableAsync(CancellationToken cancellationToken) => store.IsAvailableAsync(cancellationToken);

    public Task EnsureTableAsync(TableSchema table, CancellationToken cancellationToken) =>
        store.EnsureTableAsync(table, cancellationToken);

    public async Task InsertAsync(SealedSegment segment, CancellationToken cancellationToken)
    {
        if (++_inserts < insert)
        {
            await store.InsertAsync(segment, cancellationToken);
            return;
        }

        try
        {
            if (afterwards)
            {
                await store.InsertAsync(segment, cancellationToken);
            }
        }
        catch (StoreException)
        {
            // Nobody hears that either.
        }

        Dead.SetResult();
        await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    public Task<long> CountRowsAsync(TableSchema table, ulong segmentId, CancellationToken cancellationToken) =>
        store.CountRowsAsync(table, segmentId, cancellationToken);

    public IAsyncEnumerable<ReadOnlyMemory<byte>> QueryAsync(
        string query, QueryLimits limits, CancellationToken cancellationToken) =>
        store.QueryAsync(query, limits, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
