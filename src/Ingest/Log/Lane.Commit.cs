using Ingest.Columns;
using Ingest.Feed;
using Ingest.Schema;

namespace Ingest.Log;

/// <content>The lane's thread: groups into segments, and what becomes of them.</content>
public sealed partial class Lane
{
    // Of rejected offsets alone; a record of one entry has some 100 bytes.
    private const long MaxIndexBytesWithoutRows = 4 << 20;

    private static readonly TimeSpan s_trimPeriod = TimeSpan.FromSeconds(30);

    private readonly List<Segment> _rolledBack = [];
    private readonly List<ReadOnlyMemory<byte>> _dropped = [];
    private Segment? _segment;
    private Flusher? _flusher;
    private long _segmentOpenedAt;
    private long _trimmedAt;
    private TimeSpan _segmentAge;
    private bool _failing;

    private void CommitGroup()
    {
        for (var start = 0; start < _group.Count;)
        {
            start = _options.Enabled ? CommitUntilFull(start) : Drop(start);
        }

        _group.Clear();
        // At half: all that wait are woken together, so not for each piece of room.
        if (Volatile.Read(ref _room) is not null && Volatile.Read(ref _queuedBytes) < _options.QueueBytes / 2)
        {
            WakeSenders();
        }
    }

    // One turn of group commit; returns where the next begins, since a group may go over the end of a segment.
    private int CommitUntilFull(int start)
    {
        var end = start;
        long rows = 0, bytes = 0;
        var flush = TimeSpan.Zero;
        var place = default(BlockPlace);
        Exception? failure = null;
        try
        {
            if (_segment is not null && !Fits(_group[start]))
            {
                Seal();
                CloseOtherVersion(_group[start]);
            }

            LeaveStaleSegment(_group[start]);

            var segment = _segment ??= OpenSegment(_group[start].Table);
            do
            {
                Admit(_group[end]);
                segment.Stage(_group[end++]);
            }
            while (end < _group.Count && Fits(_group[end]));

            rows = segment.StagedRows - segment.Rows;
            bytes = segment.StagedLength - segment.Length;
            place = new BlockPlace(segment.Id, segment.Rows);
            segment.Write();
            var flushed = _time.GetTimestamp();
            (_flusher ??= new Flusher(Table.Name)).Flush(segment);
            flush = _time.GetElapsedTime(flushed);
            segment.Commit();
            CommitProducers(segment.Id);
        }
        catch (Exception e)
        {
            // Without a segment the rest of the group would fare no better; with one it gets a new segment.
            end = _segment is null ? _group.Count : Math.Max(end, start + 1);
            failure = e;
            _producers.RollBack();
            OnGroupFailed(start, end, e);
        }

        if (failure is null)
        {
            SetFailing(false); // Before anyone is told, who might look.
        }

        for (var i = start; i < end; i++)
        {
            var batch = _group[i];
            var queued = batch.ByteCount;
            var batchRows = batch.RowCount;
            Tell(batch, failure, failure is null ? Show(batch, place) : null);
            place = place with { Row = place.Row + batchRows };
            CountQueued(-queued);
        }

        TellProducers();
        if (failure is null)
        {
            _log.Metrics.OnCommitted(Table.Name, blocks: end - start, rows, bytes, flush);
            AdaptRowLimit(rows, bytes);
        }

        if (_segment is { } full && (full.Length >= _options.SegmentBytes || full.Rows >= _options.SegmentRows))
        {
            Seal();
        }

        return end;
    }

    private int Drop(int start)
    {
        var batch = _group[start];
        Admit(batch);
        CommitProducers(segmentId: 0);
        var bytes = batch.ByteCount;
        if (batch.RowCount > 0)
        {
            AdaptRowLimit(batch.RowCount, batch.Encode(0, _dropped));
            _dropped.Clear();
        }

        Tell(batch, failure: null);
        TellProducers();
        CountQueued(-bytes);
        return start + 1;
    }

    // In the order of the log and after it is durable: whoever listens keeps the batch as long as they need it.
    private CommittedBlock? Show(Batch batch, BlockPlace place)
    {
        if (!_feed.IsHeard || batch.RowCount == 0)
        {
            return null;
        }

        var receivedAt = _time.GetUtcNow() - (batch.OpenedAt == 0 ? TimeSpan.Zero : _time.GetElapsedTime(batch.OpenedAt));
        var block = new CommittedBlock(batch, place, receivedAt, _recycle);
        _feed.Show(block);
        return block;
    }

    // Tells the senders of a batch, and takes the batch back, or leaves it to those who were shown it.
    private void Tell(Batch batch, Exception? failure, CommittedBlock? shown = null)
    {
        foreach (ref readonly var entry in batch.Entries)
        {
            if (failure is null)
            {
                TellCommitted(entry);
            }
            else
            {
                TellFailed(entry, failure);
            }
        }

        if (failure is null && batch.OpenedAt != 0 && _log.Metrics.TimesAcknowledgements)
        {
            _log.Metrics.OnAcknowledged(Table.Name, _time.GetElapsedTime(batch.OpenedAt));
        }

        if (shown is null)
        {
            Recycle(batch);
        }
        else
        {
            shown.Release();
        }
    }

    private void TellCommitted(in BatchEntry entry)
    {
        try
        {
            entry.Sink.OnCommitted(entry);
        }
        catch (Exception e)
        {
            LogMessages.SinkFailed(_logger, Table.Name, e);
        }
    }

    private void TellFailed(in BatchEntry entry, Exception cause)
    {
        try
        {
            entry.Sink.OnFailed(entry, cause);
        }
        catch (Exception e)
        {
            LogMessages.SinkFailed(_logger, Table.Name, e);
        }
    }

    private bool Fits(Batch batch) =>
        IsOfSegment(batch)
        && (_segment!.StagedRows == 0 || (_segment.StagedLength + batch.ByteCount <= _options.SegmentBytes
            && _segment.StagedRows + batch.RowCount <= _options.SegmentRows));

    // A segment's blocks are of one version of the table.
    private bool IsOfSegment(Batch batch) => batch.RowCount == 0 || batch.Table == _segment!.Table;

    // The segment has no rows, or it would have been sealed: it only says which offsets of producers were rejected.
    private void CloseOtherVersion(Batch next)
    {
        if (_segment is not { } empty || IsOfSegment(next))
        {
            return;
        }

        _producerFile.Save(_producers);
        Detach(empty);
        empty.Files.Delete(_log.Disk);
        _log.Disk.FlushDirectory(empty.Files.Directory);
    }

    // A batch is closed by rows alone, since asking for its bytes at every message costs more than a row; so the rows
    // that make up BatchBytes are learnt from the last group.
    private void AdaptRowLimit(long rows, long bytes)
    {
        if (rows > 0)
        {
            var limit = (int)Math.Clamp(_options.BatchBytes * rows / Math.Max(1, bytes), 1, _maxRows);
            Volatile.Write(ref _rowLimit, limit);
        }
    }

    private Segment OpenSegment(TableSchema table)
    {
        RecordEnds();
        var segment = _log.CreateSegment(table, Spares);
        _segmentOpenedAt = _time.GetTimestamp();
        _segmentAge = _log.AgeFor(_log.Metrics.OpenSegments);
        _sealTimer.Change(_segmentAge, Timeout.InfiniteTimeSpan);
        return segment;
    }

    // Rejected offsets alone open a segment too. Rows that come much later would get its time of receipt, and with it
    // its partition; and its index would grow without end. So it goes, once the producer file has what it says.
    private void LeaveStaleSegment(Batch next)
    {
        if (_segment is not { Rows: 0, Records: > 0 } segment)
        {
            return;
        }

        var stale = next.RowCount > 0 && _time.GetElapsedTime(_segmentOpenedAt) >= _segmentAge;
        if (stale || segment.IndexLength >= MaxIndexBytesWithoutRows)
        {
            _producerFile.Save(_producers);
            Detach(segment);
            _log.Delete(segment.Files);
        }
    }

    // Where failed segments end has to be durable before any other is opened, and before the store gets them: rows of
    // the failed group that came back in one of them would not be in the store, or be there twice.
    private void RecordEnds()
    {
        while (_rolledBack.Count > 0)
        {
            _rolledBack[0].RecordEnd();
            _rolledBack.RemoveAt(0);
        }
    }

    private void SetFailing(bool failing)
    {
        if (_failing != failing)
        {
            _failing = failing;
            _log.Metrics.OnFailing(failing);
        }
    }

    private void OnGroupFailed(int start, int end, Exception cause)
    {
        var senders = 0;
        for (var i = start; i < end; i++)
        {
            senders += _group[i].Entries.Length;
        }

        SetFailing(true);
        _log.Metrics.OnFailed();
        LogMessages.GroupFailed(_logger, Table.Name, senders, cause);
        if (_segment is not { } segment)
        {
            return;
        }

        segment.RollBack();
        _rolledBack.Add(segment);
        Detach(segment);
    }

    private void SealWhenDue(bool now)
    {
        var fired = _sealTimerFired;
        _sealTimerFired = false;
        if (_unpublished.Count > 0 && (now || fired))
        {
            PublishWaiting();
        }

        if (_segment is null)
        {
            if (fired)
            {
                TrimWhenDue();
            }

            return;
        }

        var left = _segmentAge - _time.GetElapsedTime(_segmentOpenedAt);
        if (now || left <= TimeSpan.Zero)
        {
            Seal();
        }
        else if (fired)
        {
            // Timers go by a coarser clock and fire up to some milliseconds early; without another one the segment
            // would stay open until its table's next rows.
            var due = TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds));
            _sealTimer.Change(due, Timeout.InfiniteTimeSpan);
        }
    }

    // The disk is asked once more to say where segments end that failed; what is left the next start decides.
    private void CloseSegments()
    {
        if (_segment is { } empty)
        {
            // No INSERT can come of it. If it says which offsets of producers were rejected, it stays for the next start.
            Detach(empty);
            if (empty.Records == 0)
            {
                _rolledBack.Add(empty);
            }
        }

        foreach (var segment in _rolledBack)
        {
            try
            {
                segment.RecordEnd();
            }
            catch (Exception e) when (DiskFault.Is(e))
            {
                LogMessages.EndNotRecorded(_logger, segment.Files.Data, e);
            }
        }
    }

    // A segment without rows stays open: its records say which offsets were rejected.
    private void Seal()
    {
        if (_segment is { Rows: > 0 } segment)
        {
            Detach(segment);
        }
    }

    private void Detach(Segment segment)
    {
        _segment = null;
        _log.Metrics.OnClosed(segment.Length, isSealed: segment.Rows > 0);
        if (segment.Rows > 0)
        {
            PublishSealed(segment.Seal());
        }

        segment.Dispose();
        TrimWhenDue();
    }

    // Not at each seal: what a burst needs, the next one needs too, and its memory would be made and collected anew.
    private void TrimWhenDue()
    {
        if (_time.GetElapsedTime(_trimmedAt) >= s_trimPeriod)
        {
            _trimmedAt = _time.GetTimestamp();
            _pool.Trim();
            Spares.Trim();
        }

        if ((_pool.HeldBytes > 0 || Spares.Count > 0) && _unpublished.Count == 0)
        {
            // Of a lane that goes quiet the rest is let go too; a new segment sets the timer to its own age.
            _sealTimer.Change(s_trimPeriod, Timeout.InfiniteTimeSpan);
        }
    }
}
