using System.Runtime.CompilerServices;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;

namespace Ingest.Server.Tests.Http;

/// <summary>A store that is out of reach.</summary>
internal sealed class AwayStore : IStore
{
    public string Description => "away";

    public Task<bool> IsAvailableAsync(CancellationToken cancellationToken) => Task.FromResult(false);

    public Task EnsureTableAsync(TableSchema table, CancellationToken cancellationToken) => throw Away();

    public Task InsertAsync(SealedSegment segment, CancellationToken cancellationToken) => throw Away();

    public Task InsertMissingAsync(SealedSegment segment, CancellationToken cancellationToken) => throw Away();

    public Task<long> CountRowsAsync(TableSchema table, ulong segmentId, CancellationToken cancellationToken) =>
        throw Away();

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> QueryAsync(
        string query, QueryLimits limits, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        if (query.Length >= 0)
        {
            throw Away();
        }

        yield break;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static StoreException Away() => new("The store is away.", StoreFault.Unavailable);
}
