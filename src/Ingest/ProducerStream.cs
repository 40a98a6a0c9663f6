using Ingest.Admission;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.V1;

namespace Ingest;

/// <summary>
/// The rows of one session of a producer on their way into a table: decodes its requests, sees to it that offsets come
/// without gaps, and keeps the watermarks.
/// </summary>
/// <remarks>
/// Hot: the stream's thread appends, lanes' threads advance the watermarks. 0 bytes are allocated a row. The offset of
/// a rejected row counts as durable once its dead letter is, so it reaches the lane behind it.
/// </remarks>
public sealed class ProducerStream : ProducerSession
{
    private IngestTable _table;
    private readonly Metrics _metrics;
    private readonly TimeProvider _time;
    private readonly Action _wake;
    private readonly StreamTurns _turns;
    private readonly RejectedOffsets _rejectedOffsets;
    private readonly List<RowRun> _accepted = [];
    private readonly Rejections _rejections;
    private readonly Queue<(long Row, RowFault Fault)> _errors = new();
    private long _nowSeconds;
    private long _held;
    private long _rows;
    private long _bytes;
    private long _received;
    private long _durable;
    private long _stored;
    private long _first;
    private long _rejectedCount;
    private long _fencedBy = -1;
    private volatile Exception? _failure;

    internal ProducerStream(
        IngestTable table, DeadLetters deadLetters, Metrics metrics, TimeProvider time, string producerId, long epoch,
        Action wake, StreamTurns turns)
        : base(producerId, epoch)
    {
        _table = table;
        _metrics = metrics;
        _rejections = new Rejections(table, deadLetters, metrics);
        _time = time;
        _wake = wake;
        _turns = turns;
        _rejectedOffsets = new RejectedOffsets(this);
        _nowSeconds = time.GetUtcNow().ToUnixTimeSeconds();
    }

    /// <summary>The table, in the version that is in force.</summary>
    public IngestTable Table => _table.Current;

    /// <summary>First offset that is not in memory.</summary>
    public long ReceivedOffset => Volatile.Read(ref _received);

    /// <summary>First offset that is not durable.</summary>
    public long DurableOffset => Volatile.Read(ref _durable);

    /// <summary>First offset that the store does not have.</summary>
    public long StoredOffset => Volatile.Read(ref _stored);

    /// <summary>Rows that this session was first to make durable, dead letters included.</summary>
    public long AcceptedCount => DurableOffset - _first;

    /// <summary>Rows of this session that went to the dead letters.</summary>
    public long RejectedCount => Volatile.Read(ref _rejectedCount);

    /// <summary>Session number of the session that has taken over; -1 while none has.</summary>
    public long FencedBy => Volatile.Read(ref _fencedBy);

    /// <summary>Why rows of this session could not be made durable; null while all is well.</summary>
    public Exception? Failure => _failure;

    /// <summary>Errors that nobody has taken yet.</summary>
    public int ErrorCount
    {
        get
        {
            lock (_errors)
            {
                return _errors.Count;
            }
        }
    }

    /// <summary>Why rows are refused now; unspecified when they are not.</summary>
    public RefusalReason Refusal => _turns.Refusal;

    /// <summary>How long the sender is asked to wait when it is refused.</summary>
    public TimeSpan NextRetryDelay() => _turns.NextRetryDelay();

    /// <summary>Whether more may be appended in this turn.</summary>
    public bool TurnGoesOn => _turns.GoesOn;

    /// <summary>Makes this the producer's current session.</summary>
    /// <exception cref="IOException">The log could not be written.</exception>
    /// <exception cref="ObjectDisposedException">The log has stopped.</exception>
    public async Task<ProducerOpening> OpenAsync()
    {
        ProducerOpening opening = await _table.Lane.OpenProducerAsync(this).ConfigureAwait(false);
        Volatile.Write(ref _first, opening.DurableOffset);
        Volatile.Write(ref _received, opening.DurableOffset);
        Raise(ref _durable, opening.DurableOffset);
        Raise(ref _stored, opening.StoredOffset);
        return opening;
    }

    /// <summary>
    /// Completes when the session may append: it has a turn, and table and dead letters have room, or rows are refused.
    /// To be ended with <see cref="EndTurn"/>.
    /// </summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public ValueTask BeginTurnAsync(CancellationToken cancellationToken)
    {
        Tick();
        return _turns.BeginAsync(cancellationToken);
    }

    /// <summary>Counts a request of this turn whose rows were not taken.</summary>
    public void CountRefused(int requestBytes) => _turns.Count(requestBytes, isHeld: false);

    /// <summary>Lets others have their turn.</summary>
    public void EndTurn() => _turns.End();

    /// <summary>Bytes of requests whose rows are durable now; said once for each request that was appended.</summary>
    public void Release(long requestBytes)
    {
        Interlocked.Add(ref _held, -requestBytes);
        _turns.Release(requestBytes);
    }

    // Once a read, not once a request: the clock for the rules, and the counters that others read.
    private void Tick()
    {
        _nowSeconds = _time.GetUtcNow().ToUnixTimeSeconds();
        if (_rows > 0)
        {
            _metrics.OnReceived(_table.Schema.Name, _rows, _bytes);
            (_rows, _bytes) = (0, 0);
        }
    }

    /// <summary>Why the columns of the request that was malformed make no rows; null when it is no message.</summary>
    public string? RequestFault { get; private set; }

    /// <summary>Takes the rows of a request.</summary>
    /// <param name="decoder">Has read the request.</param>
    /// <param name="request">The request's bytes.</param>
    public AppendOutcome Append(AppendDecoder decoder, ReadOnlySpan<byte> request)
    {
        long expected = _received;
        long offset = ProducerId.Length == 0 ? expected : decoder.Offset;
        if (offset > expected)
        {
            return AppendOutcome.Gap;
        }

        _table = _table.Current;
        Batch batch = _table.Lane.Rent(_table.Schema);
        int before = batch.RowCount;
        RequestResult result;
        bool isMarked = false;
        int count;
        try
        {
            result = decoder.TryAppend(
                request, _table.Requests, batch, expected - offset, _nowSeconds, _accepted, _rejections.Rows, out count);
            RequestFault = result == RequestResult.Unfit ? batch.ColumnsScratch.Fault : null;
            if (result == RequestResult.Decoded)
            {
                foreach (RowRun run in _accepted)
                {
                    batch.AddEntry(new BatchEntry(
                        this, ProducerId, Epoch, offset + run.Index, run.Count, run.FirstRow, run.Count));
                    isMarked = true;
                }
            }
        }
        catch (Exception e)
        {
            _table.Lane.GiveBack(batch, before, e, isMarked);
            throw;
        }

        _table.Lane.Return(batch);
        AppendOutcome outcome = result == RequestResult.TooManyRows ? AppendOutcome.TooManyRows
            : result != RequestResult.Decoded ? AppendOutcome.Malformed
            : offset < expected && offset + count <= expected ? AppendOutcome.Duplicate
            : AppendOutcome.Appended;
        _turns.Count(request.Length, isHeld: outcome == AppendOutcome.Appended);
        if (outcome == AppendOutcome.Appended)
        {
            Interlocked.Add(ref _held, request.Length);
            Volatile.Write(ref _received, offset + count);
            _rows += offset + count - expected;
            _bytes += request.Length;
            Reject(request, offset);
        }

        _accepted.Clear();
        _rejections.Clear();
        return outcome;
    }

    /// <summary>Takes errors that were not taken yet, in the order of their rows.</summary>
    public void TakeErrors(ICollection<RowError> errors, int max)
    {
        lock (_errors)
        {
            while (max-- > 0 && _errors.TryDequeue(out (long Row, RowFault Fault) error))
            {
                errors.Add(Rejections.ErrorOf(error.Row, error.Fault));
            }
        }
    }

    /// <summary>Lets the producer go; what is not durable yet may be dropped.</summary>
    public void Close()
    {
        Tick();
        _turns.Release(Interlocked.Exchange(ref _held, 0));
        _turns.Close();
        _table.Lane.CloseProducer(this);
    }

    /// <inheritdoc/>
    public override void OnAdvanced(long durableOffset, long storedOffset)
    {
        if (Raise(ref _durable, durableOffset) | Raise(ref _stored, storedOffset))
        {
            _wake();
        }
    }

    /// <inheritdoc/>
    public override void OnFenced(long epoch)
    {
        Volatile.Write(ref _fencedBy, epoch);
        _wake();
    }

    /// <inheritdoc/>
    public override void OnCommitted(in BatchEntry entry)
    {
        // The watermarks say it.
    }

    /// <inheritdoc/>
    public override void OnFailed(in BatchEntry entry, Exception cause)
    {
        // Of a session that was fenced, its own callback says more.
        if (cause is not ProducerFencedException)
        {
            _failure = cause;
            _wake();
        }
    }

    private static bool Raise(ref long watermark, long offset)
    {
        long before = Volatile.Read(ref watermark);
        while (offset > before)
        {
            long seen = Interlocked.CompareExchange(ref watermark, offset, before);
            if (seen == before)
            {
                return true;
            }

            before = seen;
        }

        return false;
    }

    private void Reject(ReadOnlySpan<byte> request, long offset)
    {
        lock (_errors)
        {
            foreach (RejectedRow row in _rejections.Rows)
            {
                _errors.Enqueue((offset + row.Index, row.Fault));
            }
        }

        _rejections.Keep(_rejectedOffsets, request, ProducerId, offset);
        Volatile.Write(ref _rejectedCount, _rejectedCount + _rejections.Rows.Count);
    }

    /// <summary>Told that dead letters are durable, on their lane's thread: now their offsets may count.</summary>
    private sealed class RejectedOffsets(ProducerStream stream) : AppendSink
    {
        public override void OnCommitted(in BatchEntry entry)
        {
            Lane lane = stream._table.Lane;
            Batch batch = lane.Rent();
            try
            {
                batch.AddEntry(new BatchEntry(
                    stream, stream.ProducerId, stream.Epoch, entry.FirstOffset, entry.OffsetCount, batch.RowCount, 0));
            }
            catch (Exception e)
            {
                lane.GiveBack(batch, batch.RowCount, e);
                throw;
            }

            lane.Return(batch);
        }

        public override void OnFailed(in BatchEntry entry, Exception cause) => stream.OnFailed(entry, cause);
    }
}
