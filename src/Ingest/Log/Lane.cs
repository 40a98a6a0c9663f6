using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ingest.Columns;
using Ingest.Feed;
using Ingest.Schema;
using Microsoft.Extensions.Logging;

namespace Ingest.Log;

/// <summary>
/// One table's way into the log: the open batches that streams decode into, and the writer that makes them durable.
/// </summary>
/// <remarks>
/// Streams call <see cref="WaitForRoomAsync"/>, <see cref="Rent()"/> and <see cref="Return"/> on their own threads, once
/// a turn, and <see cref="Wants"/> once a message; that side neither locks nor allocates nor reads the clock, except
/// once a batch. All else is done by the lane's thread (Lane.Writer.cs). Batches that are closed and not yet durable are bounded by
/// <see cref="LogOptions.QueueBytes"/>: at the bound senders wait.
/// </remarks>
public sealed partial class Lane
{
    private readonly SegmentLog _log;
    private readonly LogOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly TableFeed _feed;
    private readonly Action<Batch> _recycle;
    private readonly Slot[] _slots;
    private readonly ConcurrentQueue<TaskCompletionSource> _sealRequests = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile BatchPool _pool;
    private ClosedBatches _closed;
    private TaskCompletionSource? _room;
    private long _queuedBytes;

    // Batches that got their first rows, ever. The writer knows how many it collected; the rest is open.
    private long _opened;
    private int _rowLimit;
    private int _maxRows; // However small the last rows were: of empty ones these make up a batch's bytes.
    private volatile bool _hot;
    private long _wantedUntil; // Batches opened until then are closed when they are given back; 0 for none.
    private volatile bool _stopping;
    private volatile bool _stopped;

    internal Lane(SegmentLog log, TableSchema table, RecoveredProducers producers)
    {
        _producers = producers.Table;
        _producerFile = producers.File;
        _sealedOffsets = producers.Sealed;
        _log = log;
        _options = log.Options;
        _logger = log.Logger;
        _time = log.Time;
        _feed = log.Feed.Of(table.Name);
        _recycle = Recycle;
        Spares = new SpareFiles(log.Disk, _options, _logger);
        _slots = new Slot[Math.Max(1, _options.OpenBatches)];
        Evolve(table);
        _rowLimit = _maxRows;
        _linger = (long)(_options.Linger.TotalSeconds * _time.TimestampFrequency);
        _sealTimer = _time.CreateTimer(
            static lane => ((Lane)lane!).OnSealTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _lastSweep = _time.GetTimestamp() - _linger;
        _thread = new Thread(Run, WriterStackBytes) { IsBackground = true, Name = $"lane {table.Name}" };
    }

    /// <summary>The table whose rows go this way, in the version that is in force.</summary>
    public TableSchema Table => _pool.Table;

    /// <summary>Bytes that a row without any content takes, about.</summary>
    internal long EmptyRowBytes { get; private set; }

    /// <summary>Memory of empty batches that are kept for the next rows.</summary>
    internal long PooledBytes => _pool.HeldBytes;

    /// <summary>Files to write the table's next segments over.</summary>
    internal SpareFiles Spares { get; }

    /// <summary>Bytes of batches that are closed and not yet durable, about.</summary>
    public long QueuedBytes => Volatile.Read(ref _queuedBytes);

    /// <summary>Whether the lane takes more rows now; if not, await <see cref="WaitForRoomAsync"/>.</summary>
    public bool HasRoom => HasRoomFor(0);

    /// <summary>
    /// Completes when the lane takes more rows: at once while less than <see cref="LogOptions.QueueBytes"/> wait for the
    /// disk. To be awaited before a message is decoded.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ValueTask WaitForRoomAsync(CancellationToken cancellationToken = default) =>
        HasRoom ? default : WaitForRoomSlowAsync(this, 0, cancellationToken);

    /// <summary>
    /// An open batch to append to, owned by the caller until <see cref="Return"/>. Never waits; the caller must not wait
    /// either while it has the batch, others' rows are in it.
    /// </summary>
    public Batch Rent() => Rent(Table);

    /// <summary>As <see cref="Rent()"/>, of the version of the table that the caller's decoder is of.</summary>
    public Batch Rent(TableSchema version)
    {
        var pool = _pool;
        if (pool.Table != version)
        {
            return new Batch(version); // Another version has come this moment; the caller's next batch is of that.
        }

        var slots = _slots;
        var at = _hot ? Thread.GetCurrentProcessorId() % slots.Length : 0;
        for (var i = 0; i < slots.Length; i++)
        {
            ref var slot = ref slots[at].Batch;
            if (Volatile.Read(ref slot) is not null && Interlocked.Exchange(ref slot, null) is { } batch)
            {
                if (batch.Table == version)
                {
                    return batch;
                }

                CloseOther(batch);
            }

            at = at + 1 == slots.Length ? 0 : at + 1;
        }

        return pool.Take();
    }

    /// <summary>
    /// Whether who has a batch of <see cref="Rent()"/> should give it back now, though it could go on to use it: it is
    /// full, or the lane waits for it. To be asked after each message.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Wants(Batch batch) =>
        batch.RowCount >= Volatile.Read(ref _rowLimit) || IsWanted(batch) || _stopping || batch.Table != _pool.Table;

    /// <summary>
    /// Gives a batch back. Each run of rows in it must have its entry. The sinks of the entries are told by the lane's
    /// thread, or by the caller's when the log has stopped.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="isWhole">Whether nothing is to be added to it: then it is written at once.</param>
    public void Return(Batch batch, bool isWhole = false)
    {
        if (batch.Entries.IsEmpty)
        {
            Debug.Assert(batch.RowCount == 0, "rows without an entry: nobody would be told of them");
            if (batch.Table != Table || !TryPlace(batch))
            {
                Recycle(batch);
            }

            return;
        }

        var first = batch.OpenedAt == 0;
        if (first)
        {
            batch.OpenedAt = Math.Max(1, _time.GetTimestamp());
        }

        // By bytes too: the rows that come may be much larger than the last ones, by which the limit was learnt. What
        // came over the wire is about what the columns hold, so a full batch is mostly full by its rows.
        var full = batch.RowCount >= Volatile.Read(ref _rowLimit) || batch.RequestBytes >= 2L * _options.BatchBytes;
        var close = full || isWhole || IsWanted(batch) || _stopping || batch.Table != Table || !TryPlace(batch);
        if (close)
        {
            Close(batch, full);
        }

        // Unless it was closed, the batch is another's by now. The writer may even have collected it before it is
        // counted here; then the count is one short until this line, and the wake-up sets it right.
        if (first)
        {
            Interlocked.Increment(ref _opened);
        }

        if (close || _stopping)
        {
            Wake(urgent: true);
        }
        else if (first)
        {
            Wake(urgent: false);
        }

        if (_stopped)
        {
            RefuseLeftovers();
        }
    }

    /// <summary>
    /// Gives a batch back after an exception, without what came last: others' rows are in it, and they wait for an answer.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="rows">Rows that it had when it was rented.</param>
    /// <param name="cause">The exception.</param>
    /// <param name="isMarked">Whether an entry names what came last; then nothing of the batch can be kept.</param>
    internal void GiveBack(Batch batch, int rows, Exception cause, bool isMarked = false)
    {
        try
        {
            if (!isMarked)
            {
                batch.Truncate(rows);
                Return(batch);
                return;
            }
        }
        catch (Exception e)
        {
            cause = new AggregateException(cause, e);
        }

        // What is in it nobody can say. It is left to the collector.
        if (batch.OpenedAt != 0)
        {
            Interlocked.Decrement(ref _opened);
        }

        LogMessages.BatchLost(_logger, Table.Name, batch.Entries.Length, cause);
        foreach (ref readonly var entry in batch.Entries)
        {
            TellFailed(entry, cause);
        }
    }

    /// <summary>
    /// Writes what is in open batches, and seals the open segment if it has rows. Completes when the segment is in
    /// <see cref="SegmentLog.Sealed"/>.
    /// </summary>
    public Task SealAsync()
    {
        var request = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _sealRequests.Enqueue(request);
        Interlocked.MemoryBarrier();
        Wake(urgent: true);
        if (_stopped)
        {
            AnswerSealRequests();
        }

        return request.Task;
    }

    internal void Start() => _thread.Start();

    /// <summary>
    /// Puts another version of the table in force: what is rented from here on is of that one. Batches of the old one
    /// are written as they come back, into a segment of their own version.
    /// </summary>
    [MemberNotNull(nameof(_pool))]
    internal void Evolve(TableSchema table)
    {
        EmptyRowBytes = new Batch(table).EmptyRowBytes;
        _maxRows = (int)Math.Clamp(_options.BatchBytes / EmptyRowBytes, 1, _options.BatchRows);
        _pool = new BatchPool(table, _options.PoolBytes);
    }

    /// <summary>Writes what is there, seals, and ends the lane's thread.</summary>
    internal Task StopAsync()
    {
        _stopping = true;
        Interlocked.MemoryBarrier();
        Wake(urgent: true);
        return _ended.Task;
    }

    /// <summary>
    /// Whether the lane takes more rows of a sender that has so much under way: a sender may have twice what is left
    /// free, so that the queue never fills with the rows of one (the dynamic thresholds of Choudhury and Hahne, 1998).
    /// While the queue is short nobody is asked.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool HasRoomFor(long heldBytes)
    {
        var free = _options.QueueBytes - Volatile.Read(ref _queuedBytes);
        return free > _options.QueueBytes / 4 * 3 || (free > 0 && heldBytes < 2 * free) || _stopped;
    }

    /// <summary>Completes when it is worth asking again whether the lane takes more rows.</summary>
    internal ValueTask WaitForRoomAsync(long heldBytes, CancellationToken cancellationToken) =>
        HasRoomFor(heldBytes) ? default : WaitForRoomSlowAsync(this, heldBytes, cancellationToken);

    /// <summary>Has those that wait for room ask again what they may do.</summary>
    internal void WakeSenders() => Interlocked.Exchange(ref _room, null)?.TrySetResult();

    private static async ValueTask WaitForRoomSlowAsync(
        Lane lane, long heldBytes, CancellationToken cancellationToken)
    {
        var room = Volatile.Read(ref lane._room);
        if (room is null)
        {
            var made = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            room = Interlocked.CompareExchange(ref lane._room, made, null) ?? made;
        }

        // Asked again with the source in place: the writer first counts down, then looks for someone to tell.
        Interlocked.MemoryBarrier();
        if (!lane.HasRoomFor(heldBytes))
        {
            await room.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private bool IsWanted(Batch batch) =>
        Volatile.Read(ref _wantedUntil) is var until && until != 0 && batch.OpenedAt <= until && batch.OpenedAt != 0;

    // The same slot first as in Rent: while there is little to do only one batch is ever open, so blocks stay few.
    private bool TryPlace(Batch batch)
    {
        var slots = _slots;
        var at = _hot ? Thread.GetCurrentProcessorId() % slots.Length : 0;
        for (var i = 0; i < slots.Length; i++)
        {
            ref var slot = ref slots[at].Batch;
            if (Volatile.Read(ref slot) is null && Interlocked.CompareExchange(ref slot, batch, null) is null)
            {
                return true;
            }

            at = at + 1 == slots.Length ? 0 : at + 1;
        }

        return false;
    }

    private void Close(Batch batch, bool full)
    {
        if (full && !_hot)
        {
            _hot = true;
        }

        CountQueued(batch.ByteCount);
        _closed.Push(batch);
    }

    private void CloseOther(Batch batch)
    {
        if (!batch.Entries.IsEmpty)
        {
            Close(batch, full: false);
            Wake(urgent: true);
        }
    }

    private void CountQueued(long bytes)
    {
        Interlocked.Add(ref _queuedBytes, bytes);
        _log.Metrics.OnQueued(bytes);
    }

    private void Recycle(Batch batch)
    {
        batch.Reset();
        _pool.Return(batch);
    }

    // A slot has cache lines of its own (two, since they are fetched in pairs): streams on other cores swap theirs.
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Slot
    {
        [FieldOffset(0)]
        public Batch? Batch;
    }
}
