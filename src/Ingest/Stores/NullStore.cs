using System.Runtime.CompilerServices;
using Ingest.Log;
using Ingest.Schema;

namespace Ingest.Stores;

/// <summary>Takes every segment and drops it: for measuring what comes before the store.</summary>
public sealed class NullStore : IStore
{
    /// <inheritdoc/>
    public string Description => "null store: rows are dropped";

    /// <inheritdoc/>
    public Task<bool> IsAvailableAsync(CancellationToken cancellationToken) => Task.FromResult(true);

    /// <inheritdoc/>
    public Task EnsureTableAsync(TableSchema table, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task InsertAsync(SealedSegment segment, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task InsertMissingAsync(SealedSegment segment, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<long> CountRowsAsync(TableSchema table, ulong segmentId, CancellationToken cancellationToken) =>
        Task.FromResult(0L);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> QueryAsync(
        string query, QueryLimits limits, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        yield return NothingToQuery();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static ReadOnlyMemory<byte> NothingToQuery() => throw new StoreException(
        "The store is `null`: rows are dropped, so there is nothing to query. Set Ingest:Store:Kind to embedded.",
        StoreFault.BadQuery);
}
