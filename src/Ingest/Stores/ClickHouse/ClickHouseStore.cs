using System.Collections.Concurrent;
using Ingest.Log;
using Ingest.Schema;

namespace Ingest.Stores.ClickHouse;

/// <summary>ClickHouse servers over HTTP: one or many shards with their replicas.</summary>
/// <remarks>
/// <para>
/// Rows go straight to the shards' own tables, never through a Distributed one, which would cut a segment into pieces
/// with tokens of their own. A segment's shard follows from its id. Once a byte of it was sent it belongs to that shard
/// for good, restarts included (<see cref="PlacementJournal"/>): identical bytes with the same token go there until it
/// has them. One that was never sent goes elsewhere while its shard is out of reach.
/// </para>
/// <para>
/// Nothing here retries: a fault is thrown, and the writer asks again with backoff, first for the segment's rows. Then
/// the shard's next replica has its turn.
/// </para>
/// </remarks>
public sealed partial class ClickHouseStore : IStore
{
    /// <summary>Times that a server calls a segment cut short before that counts as the segment's own fault.</summary>
    private const int CutShortTries = 3;

    private readonly ClickHouseOptions _options;
    private readonly HttpClient _http;
    private readonly PlacementJournal _placements;
    private readonly Shard[] _shards;
    private readonly ConcurrentDictionary<ulong, int> _rerouted = new();
    // By token: pieces of a segment are inserts of their own.
    private readonly ConcurrentDictionary<string, int> _cutShort = new();
    private readonly SemaphoreSlim _definitions = new(1);
    private readonly CancellationTokenSource _closing = new();
    private readonly ulong _firstOwnId;

    private ClickHouseStore(
        ClickHouseOptions options, int deduplicationWindow, HttpClient http, PlacementJournal placements,
        TimeProvider time)
    {
        _options = options;
        _http = http;
        _placements = placements;
        _firstOwnId = (ulong)time.GetUtcNow().ToUnixTimeMilliseconds() << 22;
        TableLayout Layout(ServerFacts facts) => new()
        {
            DeduplicationWindow = deduplicationWindow,
            Cluster = options.Cluster,
            Database = options.Database,
            ReplicaPath = options.ReplicaPath,
            KnownSettings = facts.TableSettings,
            HasSkippingIndices = facts.Version >= new Version(20, 1),
        };
        _shards =
        [
            .. options.Replicas().Select((urls, i) => new Shard(
                i, [.. urls.Select(url => new Replica(url, http, options, time))], Layout)),
        ];
    }

    /// <inheritdoc/>
    public string Description
    {
        get
        {
            string version = _shards.SelectMany(s => s.Replicas).FirstOrDefault(r => r.Facts is not null)?.Facts!.VersionText
                ?? "(not reached yet)";
            string first = _shards[0].Replicas[0].Url.GetLeftPart(UriPartial.Authority);
            string shards = _shards.Length == 1 ? "" : $" and {_shards.Length - 1} more shards";
            return $"ClickHouse {version} at {first}{shards}, database {_options.Database}";
        }
    }

    /// <summary>Makes the store; no server is asked yet.</summary>
    /// <param name="options">Valid settings.</param>
    /// <param name="deduplicationWindow">Latest inserts of a table whose tokens the servers remember.</param>
    /// <param name="journal">Path of the file that says where segments were sent; in the data directory.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="StoreException">The journal cannot be written, or certificates not be read.</exception>
    public static async Task<ClickHouseStore> OpenAsync(
        ClickHouseOptions options, int deduplicationWindow, string journal, TimeProvider time)
    {
        HttpClient http = ClickHouseHttp.Create(options);
        try
        {
            return new ClickHouseStore(
                options, deduplicationWindow, http, await PlacementJournal.OpenAsync(journal), time);
        }
        catch
        {
            http.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <remarks>True when every shard has a replica that answers: with one shard away some rows cannot be read.</remarks>
    public async Task<bool> IsAvailableAsync(CancellationToken cancellationToken)
    {
        bool[][] answers = await Task.WhenAll(_shards.Select(shard =>
            Task.WhenAll(shard.Replicas.Select(replica => replica.PingAsync(cancellationToken)))));
        return answers.All(shard => shard.Contains(true));
    }

    /// <inheritdoc/>
    /// <remarks>
    /// A shard that is out of reach is seen to before the first insert into it; one that is known to be holds up nobody,
    /// unless there is no other.
    /// </remarks>
    public async Task EnsureTableAsync(TableSchema table, CancellationToken cancellationToken)
    {
        Shard[] up = [.. _shards.Where(shard => shard.IsUp)];
        StoreException?[] faults = await Task.WhenAll((up.Length > 0 ? up : _shards).Select(async shard =>
        {
            try
            {
                await EnsureTableAsync(shard, table, cancellationToken);
                return null;
            }
            catch (StoreException e)
            {
                return e;
            }
        }));
        StoreException? refusal = faults.FirstOrDefault(f => f is not null && f.Fault != StoreFault.Unavailable)
            ?? (faults.Contains(null) ? null : faults[0]);
        if (refusal is not null)
        {
            throw new StoreException(refusal.Message, refusal.Fault, refusal);
        }
    }

    /// <inheritdoc/>
    /// <remarks>The shard that the segment goes to, so that a shard that is away holds up no other's segments.</remarks>
    public int LaneOf(SealedSegment segment)
    {
        Shard home = Home(segment.SegmentId);
        if (_placements.Find(segment.SegmentId) is { } url)
        {
            return (FindShard(url) ?? home).Number;
        }

        if (!MayReroute(segment.SegmentId) || home.IsUp)
        {
            return home.Number;
        }

        home.Probe(_closing.Token);
        Shard other = Others(home).FirstOrDefault(shard => shard.IsUp) ?? home;
        if (other != home)
        {
            _rerouted[segment.SegmentId] = other.Number;
        }

        return other.Number;
    }

    /// <inheritdoc/>
    public async Task InsertAsync(SealedSegment segment, CancellationToken cancellationToken)
    {
        (Shard shard, Replica replica, ServerFacts facts) = await PlaceAsync(segment, cancellationToken);
        if (_placements.Find(segment.SegmentId) is null)
        {
            await _placements.RecordAsync(segment, replica.Url);
            _rerouted.TryRemove(segment.SegmentId, out _);
        }

        try
        {
            await replica.InsertAsync(segment, shard.Define(segment.Table, facts).Insert(), facts, cancellationToken);
        }
        catch (StoreException e) when (e.Fault == StoreFault.BadData && EngineError.IsCutShort(e.Message)
            && _cutShort.AddOrUpdate(segment.Token, 1, (_, tries) => tries + 1) < CutShortTries)
        {
            // A proxy that breaks off in mid-body looks like this too, and the segment is good.
            throw new StoreException(e.Message, StoreFault.Unavailable, e);
        }

        _cutShort.TryRemove(segment.Token, out _);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Asked of the shard that the segment was sent to. One of an earlier run of which nothing is written down was sent
    /// nowhere, unless the journal was lost: then every shard is asked.
    /// </remarks>
    public async Task<long> CountRowsAsync(TableSchema table, ulong segmentId, CancellationToken cancellationToken)
    {
        if (_placements.Find(segmentId) is { } url)
        {
            return await (await ReachAsync(ShardOf(url), table, cancellationToken))
                .CountRowsAsync(table, segmentId, cancellationToken);
        }

        if (MayReroute(segmentId))
        {
            return 0;
        }

        long rows = 0;
        foreach (Shard shard in _placements.IsWhole ? [Home(segmentId)] : _shards)
        {
            rows += await (await ReachAsync(shard, table, cancellationToken))
                .CountRowsAsync(table, segmentId, cancellationToken);
        }

        return rows;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _placements.DisposeAsync();
        _http.Dispose();
        _definitions.Dispose();
        _closing.Dispose();
    }

    /// <summary>The shard that a segment goes to, with a server of it that answers and has the table.</summary>
    private async Task<(Shard Shard, Replica Replica, ServerFacts Facts)> PlaceAsync(
        SealedSegment segment, CancellationToken cancellationToken)
    {
        string? sentTo = _placements.Find(segment.SegmentId);
        Shard first = sentTo is not null ? ShardOf(sentTo)
            : _rerouted.TryGetValue(segment.SegmentId, out int number) ? _shards[number]
            : Home(segment.SegmentId);
        IEnumerable<Shard> others = sentTo is null && MayReroute(segment.SegmentId) ? Others(first) : [];
        StoreException? firstFault = null;
        foreach (Shard shard in others.Prepend(first))
        {
            try
            {
                await ReachAsync(shard, segment.Table, cancellationToken);
                (Replica replica, ServerFacts facts) = await shard.ReadyAsync(cancellationToken);
                return (shard, replica, facts);
            }
            catch (StoreException e) when (e.Fault == StoreFault.Unavailable)
            {
                firstFault ??= e;
            }
        }

        throw firstFault!;
    }

    /// <summary>The shard, which has the table.</summary>
    private async Task<Shard> ReachAsync(Shard shard, TableSchema table, CancellationToken cancellationToken)
    {
        if (!shard.HasTable(table))
        {
            await EnsureTableAsync(shard, table, cancellationToken);
        }

        return shard;
    }

    private async Task EnsureTableAsync(Shard shard, TableSchema table, CancellationToken cancellationToken)
    {
        if (_options.Cluster.Length == 0)
        {
            await shard.EnsureTableAsync(table, cancellationToken);
            return;
        }

        // ON CLUSTER makes the table on all shards; those behind find it there.
        await _definitions.WaitAsync(cancellationToken);
        try
        {
            await shard.EnsureTableAsync(table, cancellationToken);
        }
        finally
        {
            _definitions.Release();
        }
    }

    /// <summary>Whether a segment of which nothing is written down was sent nowhere: it is of this run.</summary>
    private bool MayReroute(ulong segmentId) => segmentId >= _firstOwnId && _options.Reroute;

    // The id's lower bits are random and its upper ones are time: mixed, neighbours spread evenly (Fibonacci hashing).
    private Shard Home(ulong segmentId) =>
        _shards[(int)(((segmentId * 0x9E37_79B9_7F4A_7C15) >> 32) % (ulong)_shards.Length)];

    private IEnumerable<Shard> Others(Shard shard) =>
        Enumerable.Range(1, _shards.Length - 1).Select(i => _shards[(shard.Number + i) % _shards.Length]);

    private Shard? FindShard(string url) =>
        _shards.FirstOrDefault(shard => shard.Replicas.Any(replica => replica.Url.AbsoluteUri == url));

    private Shard ShardOf(string url) =>
        FindShard(url) ?? throw new StoreException(
            $"A segment was sent to {url}, which is no longer among Ingest:Store:ClickHouse:Shards; only it can tell "
            + "what became of the rows. Name it again until they are stored.", StoreFault.Unavailable);
}
