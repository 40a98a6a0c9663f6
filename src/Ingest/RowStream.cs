using Ingest.Admission;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.V1;

namespace Ingest;

/// <summary>
/// The rows of one stream on their way into a table: decodes its requests, counts, and knows when all is durable.
/// </summary>
/// <remarks>
/// Hot: the stream's thread appends, lanes' threads commit; they meet in two counters. 0 bytes are allocated a row.
/// At least once: a sender that hears nothing sends again.
/// </remarks>
public sealed class RowStream : AppendSink
{
    /// <summary>Rejected rows that are told to the sender one by one.</summary>
    public const int MaxErrors = 100;

    private IngestTable _table;
    private readonly Metrics _metrics;
    private readonly TimeProvider _time;
    private readonly StreamTurns _turns;
    private readonly Rejections _rejections;
    private readonly List<RowError> _errors = [];
    private Batch? _batch; // In this stream's hands for a turn at most, and no longer than the lane lets it.
    private int _runRow; // Where its rows of the batch begin that no entry names yet.
    private long _runOffset;
    private int _runBytes;
    private readonly TaskCompletionSource _durable = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _nowSeconds;
    private long _rows;
    private long _bytes;
    private long _publishedRows;
    private long _publishedBytes;
    private long _appended;
    private long _settled;
    private long _awaited = long.MaxValue;
    private volatile Exception? _failure;
    private long _failedFrom = long.MaxValue; // The first row of the lowest request that is not durable.

    internal RowStream(
        IngestTable table, DeadLetters deadLetters, Metrics metrics, TimeProvider time, StreamTurns turns)
    {
        _turns = turns;
        _table = table;
        _metrics = metrics;
        _rejections = new Rejections(table, deadLetters, metrics);
        _time = time;
        Tick();
    }

    /// <summary>Rows taken so far; durable once <see cref="CompleteAsync"/> has completed.</summary>
    public long AcceptedCount => _rows - RejectedCount;

    /// <summary>
    /// Accepted rows from the stream's start that are durable, at least, once <see cref="CompleteAsync"/> has completed
    /// or failed.
    /// </summary>
    public long DurableCount => Math.Max(0, Math.Min(_rows, Volatile.Read(ref _failedFrom)) - RejectedCount);

    /// <summary>Rows that went to the dead letters.</summary>
    public long RejectedCount { get; private set; }

    /// <summary>The first rejected rows.</summary>
    public IReadOnlyList<RowError> Errors => _errors;

    /// <summary>Why rows of this stream could not be made durable; null while all is well.</summary>
    public Exception? Failure => _failure;

    /// <summary>Rows that one request may have.</summary>
    public int MaxRequestRows => _table.MaxRequestRows;

    /// <summary>Why rows are refused now; unspecified when they are not.</summary>
    public RefusalReason Refusal => _turns.Refusal;

    /// <summary>How long the sender is asked to wait when it is refused.</summary>
    public TimeSpan NextRetryDelay() => _turns.NextRetryDelay();

    /// <summary>Whether more may be appended in this turn.</summary>
    public bool TurnGoesOn => _turns.GoesOn;

    /// <summary>
    /// Completes when the stream may append: it has a turn, and there is room, or rows are refused. To be ended with
    /// <see cref="EndTurn"/>.
    /// </summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public ValueTask BeginTurnAsync(CancellationToken cancellationToken)
    {
        Tick();
        return _turns.BeginAsync(cancellationToken);
    }

    /// <summary>Lets others have their turn.</summary>
    public void EndTurn()
    {
        GiveBack();
        _turns.End();
    }

    /// <summary>The stream has ended, well or not.</summary>
    public void Close()
    {
        GiveBack();
        _turns.Close();
    }

    /// <summary>Why the columns of the last request make no rows; null unless it was unfit.</summary>
    public string? RequestFault { get; private set; }

    /// <summary>Takes one request.</summary>
    /// <returns>Whether it could be decoded; if not, none of its rows are taken.</returns>
    public RequestResult Append(ReadOnlySpan<byte> request)
    {
        Batch batch = _batch ?? Rent();
        List<RejectedRow> rejected = _rejections.Rows;
        int before = batch.RowCount;
        RequestResult result;
        int accepted;
        try
        {
            result = _table.Requests.TryAppend(request, batch, _nowSeconds, rejected);
            RequestFault = result == RequestResult.Unfit ? batch.ColumnsScratch.Fault : null;
            accepted = batch.RowCount - before;
        }
        catch (Exception e)
        {
            GiveBack(batch, before, e);
            throw;
        }

        _runBytes += accepted > 0 ? request.Length : 0;
        _turns.Count(request.Length, isHeld: accepted > 0);
        if (result == RequestResult.Decoded)
        {
            _appended += accepted;
            _bytes += request.Length;
            if (rejected.Count > 0)
            {
                Reject(request);
            }

            _rows += accepted + rejected.Count;
        }

        _rejections.Clear();
        if (_table.Lane.Wants(batch))
        {
            GiveBack();
        }

        return result;
    }

    /// <summary>Completes when all that was taken is durable, dead letters included.</summary>
    /// <exception cref="IOException">The log could not be written.</exception>
    public Task CompleteAsync()
    {
        Tick();
        GiveBack();
        Volatile.Write(ref _awaited, _appended);
        Interlocked.MemoryBarrier();
        Settle(0);
        return _durable.Task;
    }

    /// <inheritdoc/>
    public override void OnCommitted(in BatchEntry entry)
    {
        _turns.Release(entry.RequestBytes);
        Settle(entry.RowCount);
    }

    /// <inheritdoc/>
    public override void OnFailed(in BatchEntry entry, Exception cause)
    {
        LowerFailedFrom(entry.FirstOffset);
        _failure = cause;
        _turns.Release(entry.RequestBytes);
        Settle(entry.RowCount);
    }

    private void LowerFailedFrom(long row)
    {
        long seen = Volatile.Read(ref _failedFrom);
        while (row < seen && Interlocked.CompareExchange(ref _failedFrom, row, seen) is var other && other != seen)
        {
            seen = other;
        }
    }

    private Batch Rent()
    {
        _table = _table.Current;
        Batch batch = _table.Lane.Rent(_table.Schema);
        (_batch, _runRow, _runOffset, _runBytes) = (batch, batch.RowCount, _rows, 0);
        return batch;
    }

    // Names the rows since the batch was rented as this stream's, all in one entry, and lets others have it.
    private void GiveBack()
    {
        if (_batch is not { } batch)
        {
            return;
        }

        _batch = null;
        try
        {
            Mark(batch, batch.RowCount);
        }
        catch (Exception e)
        {
            Lose(batch, _runRow, batch.RowCount, e);
            throw;
        }

        _table.Lane.Return(batch);
    }

    // After an exception: the rows before it are kept, of the request that it came from none.
    private void GiveBack(Batch batch, int rows, Exception cause)
    {
        _batch = null;
        try
        {
            batch.Truncate(rows);
            Mark(batch, rows);
        }
        catch (Exception e)
        {
            Lose(batch, _runRow, rows, e);
            return;
        }

        _table.Lane.GiveBack(batch, rows, cause);
    }

    private void Mark(Batch batch, int end)
    {
        if (end > _runRow)
        {
            batch.AddEntry(
                new BatchEntry(this, "", 0, _runOffset, (int)(_rows - _runOffset), _runRow, end - _runRow)
                {
                    RequestBytes = _runBytes,
                });
        }
    }

    private void Lose(Batch batch, int first, int end, Exception cause)
    {
        _table.Lane.GiveBack(batch, first, cause);
        OnFailed(new BatchEntry(this, "", 0, _runOffset, 0, first, end - first) { RequestBytes = _runBytes }, cause);
    }

    // Either the stream that says how much it waits for, or the lane that says how much there is, sees both.
    private void Settle(long rows)
    {
        if (Interlocked.Add(ref _settled, rows) < Volatile.Read(ref _awaited))
        {
            return;
        }

        if (_failure is { } failure)
        {
            _durable.TrySetException(failure);
        }
        else
        {
            _durable.TrySetResult();
        }
    }

    // Once a read, not once a message: the clock for the rules and the counters that others read.
    private void Tick()
    {
        _nowSeconds = _time.GetUtcNow().ToUnixTimeSeconds();
        if (_rows != _publishedRows)
        {
            _metrics.OnReceived(_table.Schema.Name, _rows - _publishedRows, _bytes - _publishedBytes);
            (_publishedRows, _publishedBytes) = (_rows, _bytes);
        }
    }

    private void Reject(ReadOnlySpan<byte> request)
    {
        List<RejectedRow> rejected = _rejections.Rows;
        for (int i = 0; i < rejected.Count && _errors.Count < MaxErrors; i++)
        {
            _errors.Add(Rejections.ErrorOf(_rows + rejected[i].Index, rejected[i].Fault));
        }

        _rejections.Keep(this, request, producerId: "", _rows);
        _appended += rejected.Count;
        RejectedCount += rejected.Count;
    }
}
