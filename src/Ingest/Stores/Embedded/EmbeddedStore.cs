using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security;
using Ingest.Log;
using Ingest.Schema;

namespace Ingest.Stores.Embedded;

/// <summary>ClickHouse in this process: libchdb with a data directory of its own.</summary>
/// <remarks>
/// <para>
/// Threads of ours: two for inserts, one for definitions and counts, one that kills cancelled queries, and one for each
/// query that may run at the same time. Each has its own connection; a query's lives as long as the query.
/// </para>
/// <para>
/// <c>chdb_connect</c> takes <c>--name=value</c>: server settings, read by the first connection of the process, and
/// query settings, which hold for the one connection. Of the server's own we set: merge threads (16 by default, far
/// more than a small machine has cores), the mark cache (5 GiB by default), schedule pool and memory limit, and
/// <c>memory_worker_use_cgroup=0</c>, or the limit would count the whole container and .NET's heap. A configuration
/// file is named always, and is empty: without it the engine reads <c>config.xml</c> of the current directory, of
/// <c>~/.clickhouse-local</c> or of <c>/etc/clickhouse-local</c>.
/// </para>
/// <para>
/// A process has one engine with one data directory; it ends when its last connection is closed, and can be started
/// again.
/// </para>
/// </remarks>
public sealed class EmbeddedStore : IStore
{
    // To merge a row costs more than to insert it, so it is to be merged once for a factor of sixteen, and not for each
    // five to ten parts that have come: a third less CPU for 32 segments (docs/performance.md, "Merges").
    private const int MinMergedParts = 16;

    // The engine's own 8 are more than the places there are, and it would never merge large parts.
    private const int FreeMergesForLargeParts = 2;

    private const string MergeThreadName = "MergeMutate";

    private readonly string _directory;
    private readonly StoreOptions _options;
    private readonly TableLayout _layout;
    private readonly EngineInserts _inserts;
    private readonly StoreThread _definitions;
    private readonly StoreThread _kills;
    private readonly QueryThreads _queries;
    private EngineConnection _definitionSession = null!;
    private EngineConnection _killSession = null!;
    private long _lastQuery;
    private int _mergeThreads; // That give way to all others.

    private EmbeddedStore(string directory, StoreOptions options)
    {
        _directory = directory;
        _options = options;
        _layout = new TableLayout
        {
            DeduplicationWindow = options.DeduplicationWindow, MinMergedParts = MinMergedParts,
            FreeMergesForLargeParts = FreeMergesForLargeParts,
        };
        var sender = new SegmentSender(options.OrderRows);
        _inserts = new EngineInserts(
            () => new SegmentInsert(EngineConnection.Open([$"--path={directory}"]), _layout, sender), GiveWay);
        _definitions = new StoreThread("store definitions", GiveWay);
        _kills = new StoreThread("store kill", GiveWay);
        _queries = new QueryThreads(options.MaxConcurrentQueries, GiveWay);

        // All of them: whichever calls the engine may be the one that makes a thread of its pools.
        void GiveWay() => EngineThreads.GiveWay(options.EngineNice);
    }

    /// <inheritdoc/>
    public string Description { get; private set; } = "";

    /// <summary>Starts the engine. A process has room for one.</summary>
    /// <param name="directory">Its data directory; created when missing.</param>
    /// <param name="options">Settings.</param>
    /// <exception cref="StoreException">The engine cannot be had; the message is one sentence for the user.</exception>
    public static async Task<EmbeddedStore> OpenAsync(string directory, StoreOptions options)
    {
        directory = Path.GetFullPath(directory);
        var store = new EmbeddedStore(directory, options);
        try
        {
            await store._definitions.RunAsync(store.OpenDefinitions);
            await store._kills.RunAsync(() => store._killSession = EngineConnection.Open([$"--path={directory}"]));
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>Loads the library, which takes no directory; opening is quicker then. Faults are told when it is opened.</summary>
    public static void Load(StoreOptions options)
    {
        try
        {
            LibChdb.Load(options.Library);
        }
        catch (StoreException)
        {
            // OpenAsync meets it again.
        }
    }

    /// <summary>Why there can be no embedded store here, in one sentence for the user; null when there can.</summary>
    public static string? WhyMissing(StoreOptions options)
    {
        try
        {
            LibChdb.Check(options.Library);
            return null;
        }
        catch (StoreException e)
        {
            return e.Message;
        }
    }

    /// <inheritdoc/>
    public async Task<bool> IsAvailableAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _definitions.RunAsync(() => _definitionSession.Run("SELECT 1").Dispose(), cancellationToken);
            return true;
        }
        catch (StoreException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public Task EnsureTableAsync(TableSchema table, CancellationToken cancellationToken) =>
        EnsureTablesAsync([table], cancellationToken);

    /// <inheritdoc/>
    public async Task EnsureTablesAsync(
        IReadOnlyCollection<TableSchema> tables, CancellationToken cancellationToken)
    {
        await TableMigration.RunAsync(
            new EngineSession(_definitions, _definitionSession),
            [.. tables.Select(table => new TableDefinition(table, _layout))], cancellationToken);
        if (_options.EngineNice > 0 && _mergeThreads < _options.MergeThreads)
        {
            // Not when the engine is opened: its threads take their names when they begin to run.
            await _definitions.RunAsync(
                () => _mergeThreads = EngineThreads.RunWhenIdle(MergeThreadName), cancellationToken);
        }
    }

    /// <inheritdoc/>
    public Task InsertAsync(SealedSegment segment, CancellationToken cancellationToken) =>
        _inserts.InsertAsync(segment, cancellationToken);

    /// <inheritdoc/>
    public void Prepare(SealedSegment segment) => _inserts.Prepare(segment);

    /// <inheritdoc/>
    public void Unprepare(SealedSegment segment) => _inserts.Unprepare(segment);

    /// <inheritdoc/>
    public Task InsertMissingAsync(SealedSegment segment, CancellationToken cancellationToken) =>
        _inserts.InsertMissingAsync(segment, cancellationToken);

    /// <inheritdoc/>
    public Task<long> CountRowsAsync(TableSchema table, ulong segmentId, CancellationToken cancellationToken) =>
        _definitions.RunAsync(
            () => long.Parse(
                _definitionSession.ReadRows(new TableDefinition(table, _layout).CountRows(segmentId))[0][0],
                CultureInfo.InvariantCulture),
            cancellationToken);

    /// <inheritdoc/>
    /// <remarks>A piece is the engine's own memory: it is valid until the next one is asked for.</remarks>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> QueryAsync(
        string query, QueryLimits limits, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        StoreThread thread = await _queries.TakeAsync(cancellationToken);
        QueryRun? run = null;
        try
        {
            string tag = string.Create(
                CultureInfo.InvariantCulture, $"ingest-query-{Interlocked.Increment(ref _lastQuery)}");
            run = await thread.RunAsync(
                () => QueryRun.Prepare(query, limits, _directory, tag, _options.MaxWholeAnswerBytes),
                cancellationToken);
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Task<ReadOnlyMemory<byte>> next = thread.RunAsync(run.Next, CancellationToken.None);
                ReadOnlyMemory<byte> piece = next.IsCompleted
                    ? await next
                    : await WaitOrKillAsync(next, tag, cancellationToken);
                if (piece.IsEmpty)
                {
                    yield break;
                }

                yield return piece;
            }
        }
        finally
        {
            if (run is not null)
            {
                await thread.RunAsync(run.Dispose, CancellationToken.None);
            }

            _queries.Return(thread);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _queries.DisposeAsync();
        await CloseAsync(_kills, _killSession);
        await _inserts.DisposeAsync();
        await CloseAsync(_definitions, _definitionSession);
    }

    private static async Task CloseAsync(StoreThread thread, EngineConnection? session)
    {
        if (session is not null)
        {
            await thread.RunAsync(session.Dispose);
        }

        await thread.DisposeAsync();
    }

    /// <summary>Waits for the engine; when the client has left, kills the query until the engine lets go of it.</summary>
    private async Task<ReadOnlyMemory<byte>> WaitOrKillAsync(
        Task<ReadOnlyMemory<byte>> next, string tag, CancellationToken cancellationToken)
    {
        try
        {
            return await next.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (!next.IsCompleted)
        {
            // The query may not have reached the engine's list yet, so once is not enough.
            TimeSpan pause = TimeSpan.FromMilliseconds(20);
            while (!next.IsCompleted)
            {
                await _kills.RunAsync(
                    () => _killSession
                        .Run($"KILL QUERY WHERE Settings['log_comment'] = {SqlText.Literal(tag)} ASYNC").Dispose(),
                    CancellationToken.None);
                await Task.WhenAny(next, Task.Delay(pause, CancellationToken.None));
            }

            // What became of it no longer matters; its fault is seen so that it is not reported as unobserved.
            _ = next.Exception;
            throw;
        }
    }

    private void OpenDefinitions()
    {
        LibChdb.Load(_options.Library);
        string configuration = PrepareDirectory();
        int merges = Math.Max(1, _options.MergeThreads);
        _definitionSession = EngineConnection.Open(
        [
            $"--path={_directory}", $"--config-file={configuration}",
            $"--max_server_memory_usage={_options.MaxMemoryBytes}", "--memory_worker_use_cgroup=0",
            $"--mark_cache_size={_options.MarkCacheBytes}", $"--background_pool_size={merges}",
            "--background_merges_mutations_concurrency_ratio=2", "--background_schedule_pool_size=4",
            "--background_common_pool_size=2", "--background_move_pool_size=1", "--background_fetches_pool_size=1",
        ]);
        Description = $"embedded ClickHouse {_definitionSession.ReadRows("SELECT version()")[0][0]} in {_directory}";
    }

    /// <summary>Makes the directory and an empty configuration file in it, and looks whether it is free.</summary>
    private string PrepareDirectory()
    {
        try
        {
            Directory.CreateDirectory(_directory);
            string configuration = Path.Combine(_directory, "engine.xml");
            File.WriteAllText(configuration, "<clickhouse/>\n");
            string status = Path.Combine(_directory, "status");
            if (File.Exists(status))
            {
                // The engine holds a lock on this file; so does FileShare.None, by the same system call.
                using var probe = new FileStream(status, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            }

            return configuration;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SecurityException)
        {
            throw new StoreException(
                $"The data directory {_directory} is in use by another process, or cannot be written: {e.Message}",
                StoreFault.Unavailable,
                e);
        }
    }
}
