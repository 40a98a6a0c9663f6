using System.Runtime.CompilerServices;

namespace Ingest.Stores.ClickHouse;

public sealed partial class ClickHouseStore
{
    /// <summary>How much longer than the server itself we wait for it to end a query.</summary>
    private static readonly TimeSpan s_answerMargin = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    /// <remarks>
    /// Closing the request ends the query in the server. With several shards only a cluster's Distributed tables see
    /// all rows, so without a cluster a query is refused.
    /// </remarks>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> QueryAsync(
        string query, QueryLimits limits, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_shards.Length > 1 && _options.Cluster.Length == 0)
        {
            throw new StoreException(
                $"A query would see one of {_shards.Length} shards: set Ingest:Store:ClickHouse:Cluster, or ask the "
                + "servers themselves.", StoreFault.BadQuery);
        }

        TimeSpan timeout = limits.MaxDuration + s_answerMargin;
        HttpResponseMessage answer = await BeginQueryAsync(query, limits, timeout, cancellationToken);
        using AnswerReader reader = await AnswerReader.OpenAsync(answer, cancellationToken);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        while (true)
        {
            ReadOnlyMemory<byte> piece;
            limited.CancelAfter(timeout);
            try
            {
                piece = await reader.NextAsync(limited.Token);
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw new StoreException("The server's answer came to a halt.", StoreFault.Unavailable, e);
            }

            // The reader's own pace does not count.
            limited.CancelAfter(Timeout.InfiniteTimeSpan);
            if (piece.IsEmpty)
            {
                yield break;
            }

            yield return piece;
        }
    }

    private async Task<HttpResponseMessage> BeginQueryAsync(
        string query, QueryLimits limits, TimeSpan timeout, CancellationToken cancellationToken)
    {
        StoreException? last = null;
        foreach (Shard shard in _shards)
        {
            try
            {
                (Replica replica, ServerFacts facts) = await shard.ReadyAsync(cancellationToken);
                return await replica.BeginQueryAsync(query, limits, facts, timeout, cancellationToken);
            }
            catch (StoreException e) when (e.Fault == StoreFault.Unavailable)
            {
                last = e;
            }
        }

        throw last!;
    }
}
