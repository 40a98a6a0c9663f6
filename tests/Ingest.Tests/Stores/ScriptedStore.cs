using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;

namespace Ingest.Tests.Stores;

/// <summary>A store that fails as a test says and remembers what it was asked; a stand-in for one that is ill.</summary>
internal sealed class ScriptedStore : IStore
{
    public ConcurrentQueue<Exception> Faults { get; } = [];

    public ConcurrentQueue<string> Calls { get; } = [];

    public ConcurrentQueue<SealedSegment> Prepared { get; } = [];

    public ConcurrentQueue<SealedSegment> Unprepared { get; } = [];

    public ConcurrentDictionary<ulong, long> Rows { get; } = [];

    /// <summary>Held by inserts until it is released.</summary>
    public SemaphoreSlim? Gate { get; init; }

    public string Description => "scripted";

    public Task<bool> IsAvailableAsync(CancellationToken cancellationToken) => Task.FromResult(true);

    public Task EnsureTableAsync(TableSchema table, CancellationToken cancellationToken)
    {
        Calls.Enqueue($"table {table.Name}");
        return Task.CompletedTask;
    }

    public async Task InsertAsync(SealedSegment segment, CancellationToken cancellationToken)
    {
        Calls.Enqueue($"insert {segment.Rows}");
        if (Gate is not null)
        {
            await Gate.WaitAsync(cancellationToken);
        }

        if (Faults.TryDequeue(out Exception? fault))
        {
            throw fault;
        }

        Rows.AddOrUpdate(segment.SegmentId, segment.Rows, (_, had) => had + segment.Rows);
    }

    public void Prepare(SealedSegment segment) => Prepared.Enqueue(segment);

    public void Unprepare(SealedSegment segment) => Unprepared.Enqueue(segment);

    public Task InsertMissingAsync(SealedSegment segment, CancellationToken cancellationToken)
    {
        Calls.Enqueue("insert missing");
        Rows[segment.SegmentId] = segment.Rows;
        return Task.CompletedTask;
    }

    public Task<long> CountRowsAsync(TableSchema table, ulong segmentId, CancellationToken cancellationToken)
    {
        Calls.Enqueue("count");
        return Task.FromResult(Rows.GetValueOrDefault(segmentId));
    }

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> QueryAsync(
        string query, QueryLimits limits, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        yield break;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
