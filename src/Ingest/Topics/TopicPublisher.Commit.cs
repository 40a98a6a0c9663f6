using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.V1;

namespace Ingest.Topics;

/// <content>A group on its way: offsets, rows, the disk, the rings.</content>
internal sealed partial class TopicPublisher
{
    // The tables of updates have no rules that ask for the time.
    private const long NoClock = long.MaxValue / 2;

    private static readonly TimeSpan s_firstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_lastRetry = TimeSpan.FromSeconds(5);

    private readonly List<TopicUpdate> _updates = [];
    private readonly List<PendingUpdate> _accepted = [];
    private readonly Dictionary<Topic, long> _next = [];
    private byte[] _row = new byte[4096];
    private TaskCompletionSource<Exception?> _outcome = new();
    private long _rows;

    /// <summary>Opens it as the producer of its table.</summary>
    /// <returns>What the log knows of it.</returns>
    /// <exception cref="IOException">The log could not be written.</exception>
    public async Task<ProducerOpening> OpenAsync()
    {
        ProducerOpening opening = await _table.Lane.OpenProducerAsync(this).ConfigureAwait(false);
        _rows = opening.DurableOffset;
        return opening;
    }

    /// <inheritdoc/>
    public override void OnCommitted(in BatchEntry entry) => _outcome.TrySetResult(null);

    /// <inheritdoc/>
    public override void OnFailed(in BatchEntry entry, Exception cause) => _outcome.TrySetResult(cause);

    /// <inheritdoc/>
    public override void OnFenced(long epoch)
    {
        // Nobody else opens the tables of updates.
    }

    private async Task CommitAsync(List<PendingUpdate> group)
    {
        long started = _time.GetTimestamp();
        TimeSpan delay = s_firstRetry;
        bool isFirst = true;
        while (true)
        {
            Exception? failure = isFirst ? await TryRememberAsync(group).ConfigureAwait(false) : null;
            if (failure is null)
            {
                await _table.Lane.WaitForRoomAsync().ConfigureAwait(false);
                _outcome = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
                if (isFirst ? !TryWriteNew(group) : !TryWriteAgain())
                {
                    return;
                }

                isFirst = false;
                failure = await _outcome.Task.ConfigureAwait(false);
                if (failure is null)
                {
                    break;
                }
            }

            if (_isStopping || failure is ObjectDisposedException)
            {
                Fail(group, failure);
                return;
            }

            _logger.UpdatesNotDurable(_table.Schema.Name, group.Count, delay, failure);
            await Task.Delay(delay, _time).ConfigureAwait(false);
            delay = delay * 2 < s_lastRetry ? delay * 2 : s_lastRetry;
        }

        Show();
        _hub.OnPublished(_table.Schema.Name, _updates.Count, _time.GetElapsedTime(started));
        for (int i = 0; i < _accepted.Count; i++)
        {
            _accepted[i].Complete(_updates[i]);
        }
    }

    // Offsets are given here: a payload that makes no row gets none.
    private bool TryWriteNew(List<PendingUpdate> group)
    {
        _updates.Clear();
        _accepted.Clear();
        _next.Clear();
        long now = NowMicros();
        Batch batch = _table.Lane.Rent(_table.Schema);
        int first = batch.RowCount;
        try
        {
            foreach (PendingUpdate pending in group)
            {
                Topic topic = pending.Topic;
                long offset = _next.TryGetValue(topic, out long next) ? next : topic.Ring.Head;
                topic.LastEmittedMicros = Math.Max(topic.LastEmittedMicros, now);
                var update = TopicUpdate.Create(
                    topic.Name, Kind, pending.Key, topic.Epoch, offset, topic.LastEmittedMicros, pending.Payload);
                RowResult result = _table.Rows.TryAppend(RowOf(update), batch, NoClock, out RowFault fault);
                if (result != RowResult.Accepted)
                {
                    pending.Fail(new TopicException(
                        "payload", $"The payload makes no row: {fault.Field} {fault.Message}"));
                    continue;
                }

                _next[topic] = offset + 1;
                _updates.Add(update);
                _accepted.Add(pending);
            }
        }
        catch (Exception e)
        {
            _table.Lane.GiveBack(batch, first, e);
            throw;
        }

        Give(batch, first);
        return _updates.Count > 0;
    }

    private bool TryWriteAgain()
    {
        Batch batch = _table.Lane.Rent(_table.Schema);
        int first = batch.RowCount;
        try
        {
            foreach (TopicUpdate update in _updates)
            {
                _table.Rows.TryAppend(RowOf(update), batch, NoClock, out _);
            }
        }
        catch (Exception e)
        {
            _table.Lane.GiveBack(batch, first, e);
            throw;
        }

        Give(batch, first);
        return true;
    }

    private void Give(Batch batch, int first)
    {
        int count = batch.RowCount - first;
        if (count > 0)
        {
            batch.AddEntry(new BatchEntry(this, ProducerId, Epoch, _rows, count, first, count));
        }

        // Nobody else writes the table, and this publisher not before it is told: there is nothing to wait for.
        _table.Lane.Return(batch, isWhole: true);
    }

    private async Task<Exception?> TryRememberAsync(List<PendingUpdate> group)
    {
        try
        {
            await _hub.RememberAsync(group).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (DiskFault.Is(e))
        {
            return e;
        }
    }

    private static void Fail(List<PendingUpdate> group, Exception cause)
    {
        foreach (PendingUpdate pending in group)
        {
            pending.Fail(cause);
        }
    }

    // In the order in which they were published, topic by topic.
    private void Show()
    {
        long now = NowMicros();
        lock (_noteGate)
        {
            Append(now);
        }

        foreach (Topic topic in _next.Keys)
        {
            topic.Wake();
        }
    }

    private void Append(long now)
    {
        Volatile.Write(ref _rows, _rows + _updates.Count);
        foreach (Topic topic in _next.Keys)
        {
            TopicUpdate[] own = _next.Count == 1
                ? [.. _updates]
                : [.. _updates.Where(update => ReferenceEquals(update.Topic, topic.Name))];
            topic.Ring.Append(own, topic.StoredOffset, now);
            NoteDurable(topic, own[^1].Offset + 1);
        }
    }

    private ReadOnlySpan<byte> RowOf(TopicUpdate update)
    {
        var head = new EtaPredictionRow
        {
            Topic = update.Topic, Key = update.Key, Epoch = update.Epoch, Offset = update.Offset,
            EmittedAt = TopicUpdate.ToTimestamp(update.EmittedAtMicros),
        };
        int headSize = head.CalculateSize();
        ReadOnlySpan<byte> payload = update.Payload;
        int size = headSize + update.Message.Length + payload.Length + (2 * 2 * NativeFormat.MaxVarintBytes);
        if (_row.Length < size)
        {
            _row = new byte[Math.Max(size, 2 * _row.Length)];
        }

        head.WriteTo(_row.AsSpan(0, headSize));
        int at = headSize;
        at += WriteHead(_row.AsSpan(at), EtaPredictionRow.UpdateFieldNumber, update.Message.Length);
        update.Message.Span.CopyTo(_row.AsSpan(at));
        at += update.Message.Length;
        at += WriteHead(_row.AsSpan(at), EtaPredictionRow.EtaPredictionFieldNumber, payload.Length);
        payload.CopyTo(_row.AsSpan(at));
        return _row.AsSpan(0, at + payload.Length);
    }

    // All tables of updates have the same fields before the payload, and the payload in the same place.
    private static int WriteHead(Span<byte> target, int field, int length)
    {
        int at = NativeFormat.WriteVarint(target, WireFormat.MakeTag(field, WireFormat.WireType.LengthDelimited));
        return at + NativeFormat.WriteVarint(target[at..], (ulong)length);
    }

    private long NowMicros() => UnixMicros.Of(_time.GetUtcNow());
}
