using System.Collections.Concurrent;
using Ingest.Log;
using Ingest.Schema;

namespace Ingest.Stores.ClickHouse;

/// <summary>The replicas that hold the same rows, asked in turn.</summary>
internal sealed class Shard(int number, IReadOnlyList<Replica> replicas, Func<ServerFacts, TableLayout> layout)
{
    private readonly ConcurrentDictionary<string, TableSchema> _ensured = new(StringComparer.Ordinal);
    private int _turn = -1;
    private Task _probe = Task.CompletedTask;

    /// <summary>Its place among the shards, from 0.</summary>
    public int Number => number;

    /// <summary>The replicas.</summary>
    public IReadOnlyList<Replica> Replicas => replicas;

    /// <summary>Whether a replica is not known to be out of reach.</summary>
    public bool IsUp => replicas.Any(replica => replica.IsUp);

    /// <summary>A replica that answers: the next in turn, or the next after it.</summary>
    /// <exception cref="StoreException">None answers; the message says of each why.</exception>
    public async Task<(Replica Replica, ServerFacts Facts)> ReadyAsync(CancellationToken cancellationToken)
    {
        int first = (int)((uint)Interlocked.Increment(ref _turn) % (uint)replicas.Count);
        var reasons = new List<string>();
        for (int i = 0; i < replicas.Count; i++)
        {
            Replica replica = replicas[(first + i) % replicas.Count];
            try
            {
                return (replica, await replica.FactsAsync(cancellationToken));
            }
            catch (StoreException e) when (e.Fault == StoreFault.Unavailable)
            {
                reasons.Add(e.Message);
            }
        }

        throw new StoreException(
            $"No ClickHouse server of shard {number} answers. {string.Join("; ", reasons)}", StoreFault.Unavailable);
    }

    /// <summary>
    /// Finds out in the background whether a replica answers again; nothing while that is under way. One caller at a
    /// time.
    /// </summary>
    public void Probe(CancellationToken cancellationToken)
    {
        if (_probe.IsCompleted)
        {
            _probe = Task.Run(
                async () =>
                {
                    try
                    {
                        await ReadyAsync(cancellationToken);
                    }
                    catch (Exception e) when (e is StoreException or OperationCanceledException)
                    {
                        // Still away; the next segment asks again.
                    }
                },
                CancellationToken.None);
        }
    }

    /// <summary>Definition of a table as a server of this shard takes it.</summary>
    public TableDefinition Define(TableSchema table, ServerFacts facts) => new(table, layout(facts));

    /// <summary>Whether the table was seen to be as its schema says.</summary>
    public bool HasTable(TableSchema table) =>
        _ensured.TryGetValue(table.Name, out TableSchema? known) && ReferenceEquals(known, table);

    /// <summary>Creates the table, or adds the columns that it lacks.</summary>
    /// <exception cref="StoreException">The shard is out of reach, or a server refuses.</exception>
    public async Task EnsureTableAsync(TableSchema table, CancellationToken cancellationToken)
    {
        _ensured.TryRemove(table.Name, out _);
        (Replica replica, ServerFacts facts) = await ReadyAsync(cancellationToken);
        await TableMigration.RunAsync(replica, [Define(table, facts)], cancellationToken);
        _ensured[table.Name] = table;
    }

    /// <summary>Rows of a segment in this shard.</summary>
    /// <exception cref="StoreException">The shard is out of reach, or the server refuses.</exception>
    public async Task<long> CountRowsAsync(TableSchema table, ulong segmentId, CancellationToken cancellationToken)
    {
        (Replica replica, ServerFacts facts, TableDefinition definition) = await SyncAsync(table, cancellationToken);
        return await replica.CountAsync(definition.CountRows(segmentId), facts, cancellationToken);
    }

    /// <summary>Inserts the rows of a segment that the shard lacks.</summary>
    /// <exception cref="StoreException">
    /// The shard is out of reach, the server refuses, or an earlier INSERT of the segment still runs.
    /// </exception>
    public async Task InsertMissingAsync(SealedSegment segment, CancellationToken cancellationToken)
    {
        foreach (Replica other in replicas.Where(r => r.IsUp))
        {
            if (await other.IsInsertingAsync(segment, cancellationToken))
            {
                throw new StoreException(
                    $"{other.Url.Authority}: an INSERT of the segment is still under way", StoreFault.Unavailable);
            }
        }

        (Replica replica, ServerFacts facts, TableDefinition definition) = await SyncAsync(segment.Table, cancellationToken);
        await replica.InsertMissingAsync(segment, definition.InsertMissing(segment.SegmentId), facts, cancellationToken);
    }

    /// <summary>A replica that has seen what the others were sent.</summary>
    private async Task<(Replica Replica, ServerFacts Facts, TableDefinition Definition)> SyncAsync(
        TableSchema table, CancellationToken cancellationToken)
    {
        (Replica replica, ServerFacts facts) = await ReadyAsync(cancellationToken);
        TableDefinition definition = Define(table, facts);
        if (definition.IsDistributed)
        {
            // Without a quorum nothing else makes a replica wait for what another was sent.
            string lightweight = facts.Version >= new Version(23, 5) ? " LIGHTWEIGHT" : "";
            await replica.RunAsync(
                $"SYSTEM SYNC REPLICA {SqlText.Identifier(definition.LocalName)}{lightweight}", cancellationToken);
        }

        return (replica, facts, definition);
    }
}
