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
    private readonly Channel<SealedSegment> _segments = Channel.CreateUnbounded<SealedSegment>(
        new UnboundedChannelOptions { SingleReader = true });

    private readonly IStore _store;
    private readonly Action<SealedSegment> _release;
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
        TableSchema table, IStore store, Action<SealedSegment> release, string quarantine, StoreBacklog backlog,
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
                ShouldHandle = new PredicateBuilder().Handle<StoreException>(e => e.Fault != StoreFault.BadData),
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = options.RetryDelay,
                MaxDelay = options.MaxRetryDelay,
                OnRetry = attempt =>
                {
                    _backlog.CountFailure();
                    _logger.InsertFailed(
                        table.Name, attempt.AttemptNumber + 1, attempt.RetryDelay, attempt.Outcome.Exception!.Message);
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
                await StoreAsync(segment);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // What is left stays in the log.
        }
        catch (Exception e)
        {
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

        _release(segment);
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

                if (stored > 0)
                {
                    throw new StoreException(
                        $"The store has {stored} of the segment's {segment.Rows} rows.", StoreFault.BadData);
                }
            }

            await _store.InsertAsync(segment, stop);
            return true;
        }
        catch (StoreException)
        {
            // Someone may have dropped or changed the table.
            _ensured = null;
            throw;
        }
    }
}
