using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;

namespace Ingest.Tests.Stores.Poison;

/// <summary>A real store before whose every so many inserts something happens.</summary>
internal sealed class InterruptedStore(IStore store, int every, Func<Task> happens) : IStore
{
    private int _inserts;

    public string Description => store.Description;

    /// <summary>How often it happened.</summary>
    public int Count { get; private set; }

    public Task<bool> IsAvailableAsync(CancellationToken cancellationToken) => store.IsAvailableAsync(cancellationToken);

    public Task EnsureTableAsync(TableSchema table, CancellationToken cancellationToken) =>
        store.EnsureTableAsync(table, cancellationToken);

    public int LaneOf(SealedSegment segment) => store.LaneOf(segment);

    public async Task InsertAsync(SealedSegment segment, CancellationToken cancellationToken)
    {
        if (++_inserts % every == 0)
        {
            Count++;
            await happens();
        }

        await store.InsertAsync(segment, cancellationToken);
    }

    public Task<long> CountRowsAsync(TableSchema table, ulong segmentId, CancellationToken cancellationToken) =>
        store.CountRowsAsync(table, segmentId, cancellationToken);

    public IAsyncEnumerable<ReadOnlyMemory<byte>> QueryAsync(
        string query, QueryLimits limits, CancellationToken cancellationToken) =>
        store.QueryAsync(query, limits, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
