using System.Runtime.CompilerServices;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;

namespace Ingest.Tests.Log.Crashes;

/// <summary>
/// A store whose inserts are durable when they return and all or nothing before, and which remembers no token: after a
/// power loss the engine's own memory of them is not to be relied on.
/// </summary>
internal sealed class SimulatedStore(SimulatedDisk disk, Ledger before) : IStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string, ulong), List<long>> _rows =
        before.Stored.ToDictionary(segment => segment.Key, segment => segment.Value.ToList());

    private int _failures;

    public string Description => "simulated";

    /// <summary>The next inserts fail: every second one after it was done.</summary>
    public void FailNext(int inserts) => Volatile.Write(ref _failures, inserts);

    /// <summary>Rows of a table, as often as they are there.</summary>
    public List<long> RowsOf(string table)
    {
        lock (_gate)
        {
            return [.. _rows.Where(segment => segment.Key.Item1 == table).SelectMany(segment => segment.Value)];
        }
    }

    public Task<bool> IsAvailableAsync(CancellationToken cancellationToken) => Task.FromResult(true);

    public Task EnsureTableAsync(TableSchema table, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task InsertAsync(SealedSegment segment, CancellationToken cancellationToken)
    {
        var failure = Interlocked.Decrement(ref _failures);
        if (failure >= 0 && failure % 2 == 0)
        {
            throw new StoreException("out of reach", StoreFault.Unavailable);
        }

        var bytes = disk.ReadAll(segment.Path).AsSpan(0, (int)segment.Length);
        var rows = NativeEvents.ReadIds(bytes, CrashTables.FirstColumn(segment.Table));
        Assert.Equal(segment.Rows, rows.Count);
        disk.Note(new Fact.InsertBegun(segment.Table.Name, segment.SegmentId, rows));
        lock (_gate)
        {
            if (!_rows.TryGetValue((segment.Table.Name, segment.SegmentId), out var stored))
            {
                _rows.Add((segment.Table.Name, segment.SegmentId), stored = []);
            }

            stored.AddRange(rows);
        }

        disk.Note(new Fact.InsertEnded(segment.Table.Name, segment.SegmentId));
        return failure > 0
            ? throw new StoreException("the answer was lost", StoreFault.Unavailable)
            : Task.CompletedTask;
    }

    public Task<long> CountRowsAsync(TableSchema table, ulong segmentId, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult<long>(_rows.TryGetValue((table.Name, segmentId), out var rows) ? rows.Count : 0);
        }
    }

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> QueryAsync(
        string query, QueryLimits limits, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        yield break;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
