using System.Threading.Channels;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores.Poison;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace Ingest.Stores;

/// <summary>One table on its way to one shard of the store: its segments in order, one insert at a time.</summary>
internal sealed class StoreTable
{
    // Replicated tables of recent versions forget tokens after an hour where nobody says otherwise.
    private static readonly TimeSpan s_tokenLife = TimeSpan.FromMinutes(50);

    private readonly Channel<SealedSegment> _segments = Channel.CreateUnbounded<SealedSegment>(
        new UnboundedChannelOptions { SingleReader = true });

    private readonly IStore _store;
    private readonly Func<SealedSegment, Task> _release;
    private readonly RefusedSegments _refused;
    private readonly TimeSpan _holdUp;
    private readonly TimeProvider _time;
    private readonly StoreBacklog _backlog;
    private readonly ILogger _logger;
    private readonly CancellationToken _stop;
    private readonly ResiliencePipeline _retry;
    private readonly Task _running;
    private TableSchema? _ensured;

    public StoreTable(
        TableSchema table, IStore store, Func<SealedSegment, Task> release, string quarantine, StoreBacklog backlog,
        StoreOptions options, ILogger logger, TimeProvider time, CancellationToken stop)
    {
        _store = store;
        _release = release;
        _holdUp = options.MaxRetryDelay;
        _time = time;
        _backlog = backlog;
        _logger = logger;
        _stop = stop;
        _retry = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                // What nobody foresaw is a fault of the store too: waiting is better than a table that is not stored.
                ShouldHandle = new PredicateBuilder().Handle<Exception>(
                    e => e is not StoreException { Fault: StoreFault.BadData }
                        && !(e is OperationCanceledException && stop.IsCancellationRequested)),
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = options.RetryDelay,
                MaxDelay = options.MaxRetryDelay,
                OnRetry = attempt =>
                {
                    _backlog.CountFailure();
                    _logger.InsertFailed(
                        table.Name, attempt.AttemptNumber + 1, attempt.RetryDelay, Text(attempt.Outcome.Exception!));
                    return default;
                },
            })
            .Build();
        _refused = new RefusedSegments(store, _retry, quarantine, options, backlog, logger);
        _running = Task.Run(() => RunAsync(table.Name), CancellationToken.None);
    }

    /// <summary>Adds a segment behind those that wait.</summary>
    public void Add(SealedSegment segment) => _segments.Writer.TryWrite(segment);

    /// <summary>Writes what waits, unless it is stopped before, and ends.</summary>
    public Task CompleteAsync()
    {
        _segments.Writer.TryComplete();
        return _running;
    }

    private async Task RunAsync(string table)
    {
        try
        {
            await foreach (SealedSegment segment in _segments.Reader.ReadAllAsync(_stop))
            {
                await StoreOrKeepAsync(table, segment);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // What is left stays in the log.
        }
    }

    private static string Text(Exception fault) =>
        fault is StoreException ? fault.Message : $"{fault.GetType().Name}: {fault.Message}";

    /// <summary>Keeps one segment that cannot be dealt with from ending the way of those behind it.</summary>
    private async Task StoreOrKeepAsync(string table, SealedSegment segment)
    {
        try
        {
            await StoreAsync(segment);
        }
        catch (Exception e) when (!(e is OperationCanceledException && _stop.IsCancellationRequested))
        {
            // It counts as waiting until the next start takes it up, so the lag shows it.
            _logger.StoreTableFailed(table, e);
        }
    }

    private async Task StoreAsync(SealedSegment segment)
    {
        if (!segment.Recovered || !await HoldUpAsync(segment, () => _refused.TryResumeAsync(segment, _stop)))
        {
            try
            {
                int tries = 0;
                bool inserted = await _retry.ExecuteAsync(
                    async stop => await TryAsync(segment, mayBeStored: segment.Recovered || tries++ > 0, stop), _stop);
                _backlog.CountStored(segment, inserted);
                _logger.SegmentStored(segment.Table.Name, segment.SegmentId, segment.Rows, segment.Length, inserted);
            }
            catch (StoreException e)
            {
                _backlog.CountFailure();
                await RefuseAsync(segment, e.Message);
            }
        }

        await _release(segment);
    }

    private async Task RefuseAsync(SealedSegment segment, string reason)
    {
        bool isBegun = false;
        await HoldUpAsync(segment, async () =>
        {
            if (!isBegun || !await _refused.TryResumeAsync(segment, _stop))
            {
                isBegun = true;
                await _refused.HandleAsync(segment, reason, _stop);
            }

            return true;
        });
    }

    /// <summary>Waits while the log's own disk is at fault: what the segment becomes has to be written down.</summary>
    private async Task<T> HoldUpAsync<T>(SealedSegment segment, Func<Task<T>> work)
    {
        while (true)
        {
            try
            {
                return await work();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _logger.BisectionHeldUp(segment.Table.Name, segment.SegmentId, _holdUp, e);
                await Task.Delay(_holdUp, _time, _stop);
            }
        }
    }

    /// <summary>Inserts what is missing of a segment that landed in part: some of its partitions.</summary>
    /// <remarks>
    /// The token tells each partition that is there, and holds also while an earlier try is still under way somewhere. It
    /// may not survive a power loss, and is forgotten in time; then rows are told by their numbers.
    /// </remarks>
    private async Task CompleteAsync(SealedSegment segment, CancellationToken stop)
    {
        TimeSpan age = _time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds((long)(segment.SegmentId >> 22));
        if (!segment.Recovered && age < s_tokenLife)
        {
            await _store.InsertAsync(segment, stop);
            if (await _store.CountRowsAsync(segment.Table, segment.SegmentId, stop) == segment.Rows)
            {
                return;
            }
        }

        await _store.InsertMissingAsync(segment, stop);
    }

    /// <summary>Inserts a segment unless the store has it; says whether it was inserted.</summary>
    private async ValueTask<bool> TryAsync(SealedSegment segment, bool mayBeStored, CancellationToken stop)
    {
        if (!ReferenceEquals(_ensured, segment.Table))
        {
            await _store.EnsureTableAsync(segment.Table, stop);
            _ensured = segment.Table;
        }

        try
        {
            if (mayBeStored)
            {
                long stored = await _store.CountRowsAsync(segment.Table, segment.SegmentId, stop);
                if (stored == segment.Rows)
                {
                    return false;
                }

                if (stored > 0 && stored < segment.Rows && segment.Table.HasSegmentRows)
                {
                    await CompleteAsync(segment, stop);
                    return true;
                }

                if (stored > 0)
                {
                    throw new StoreException(
                        $"The store has {stored} of the segment's {segment.Rows} rows.", StoreFault.BadData);
                }
            }

            await InsertAsync(segment, stop);
            return true;
        }
        catch (StoreException)
        {
            // Someone may have dropped or changed the table.
            _ensured = null;
            throw;
        }
    }

    /// <summary>Inserts a segment; the one behind it is prepared meanwhile.</summary>
    private async Task InsertAsync(SealedSegment segment, CancellationToken stop)
    {
        Task inserted = _store.InsertAsync(segment, stop);

        // A recovered one may be stored already; and a table of another version lacks its columns until its turn.
        SealedSegment? next = _segments.Reader.TryPeek(out SealedSegment? behind)
            && !behind.Recovered && ReferenceEquals(behind.Table, segment.Table) ? behind : null;
        if (next is not null)
        {
            _store.Prepare(next);
        }

        try
        {
            await inserted;
        }
        catch when (next is not null)
        {
            // Tries may go on for long, and a prepared one holds memory and a connection.
            _store.Unprepare(next);
            throw;
        }
    }
}
