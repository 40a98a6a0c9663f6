using Ingest.Columns;

namespace Ingest.Log;

/// <content>The lane's thread: which rows of producers are new, and how far they are.</content>
public sealed partial class Lane
{
    private readonly ProducerTable _producers;
    private readonly ProducerFile _producerFile;
    private readonly Queue<SealedOffsets> _sealedOffsets;
    private readonly Queue<SealedSegment> _unpublished = new();
    private readonly HashSet<ulong> _released = [];
    private readonly List<ProducerState> _advanced = [];
    private readonly List<(long Start, long End)> _newOffsets = [];
    private readonly List<BatchEntry> _admitted = [];
    private (int First, int Count) _out;
    private int _outRows;
    private (AppendSink? Sink, ProducerVerdict Verdict, Exception? Cause) _refusal;

    /// <summary>Producers of the table; the writer's, once it runs.</summary>
    internal ProducerTable Producers => _producers;

    // Decides about the batch's offsets, right before it is staged. All new is the normal case.
    private void Admit(Batch batch)
    {
        var entries = batch.Entries;
        for (var i = 0; i < entries.Length; i++)
        {
            if (HasOffsets(entries[i]) && _producers.Stage(entries[i]) != ProducerVerdict.New)
            {
                AdmitSome(batch, i);
                return;
            }
        }
    }

    private static bool HasOffsets(in BatchEntry entry) => entry.HasOffsets || entry.Sink is ProducerSession;

    private void AdmitSome(Batch batch, int first)
    {
        var bytes = batch.ByteCount;
        var entries = batch.Entries[first..].ToArray();
        (_out, _outRows, _refusal) = (default, 0, default);
        _admitted.Clear();
        foreach (var entry in entries)
        {
            var moved = entry with { FirstRow = entry.FirstRow - _outRows };
            switch (HasOffsets(entry) ? _producers.Stage(moved) : ProducerVerdict.New)
            {
                case ProducerVerdict.New:
                    _admitted.Add(moved);
                    break;
                case ProducerVerdict.Known:
                    AdmitNewOffsets(batch, moved);
                    break;
                case var refused:
                    TakeOut(batch, moved.FirstRow, moved.RowCount);
                    Refuse(entry, refused);
                    break;
            }
        }

        batch.RemoveRows(_out.First, _out.Count);
        batch.ReplaceEntries(first, _admitted);
        CountQueued(batch.ByteCount - bytes);
    }

    // To take rows out moves all that follow, so those that stand together go together. Rows before the place are as they
    // will be; those behind it still have to move.
    private void TakeOut(Batch batch, int first, int count)
    {
        if (count == 0)
        {
            return;
        }

        if (_out.First != first)
        {
            batch.RemoveRows(_out.First, _out.Count);
            _out = (first, 0);
        }

        _out.Count += count;
        _outRows += count;
    }

    // Rows whose offsets are durable already are taken out; what is left of the entry is one for each gap it fills.
    private void AdmitNewOffsets(Batch batch, in BatchEntry entry)
    {
        _newOffsets.Clear();
        var end = entry.FirstOffset + entry.OffsetCount;
        ((ProducerSession)entry.Sink).State!.Offsets.FindMissing(entry.FirstOffset, end, _newOffsets);
        var hasRows = entry.RowCount > 0;
        var row = entry.FirstRow;
        var offset = entry.FirstOffset;
        foreach (var (start, stop) in _newOffsets)
        {
            TakeOut(batch, row, hasRows ? (int)(start - offset) : 0);
            var count = (int)(stop - start);
            var kept = entry with
            {
                FirstOffset = start,
                OffsetCount = count,
                FirstRow = row,
                RowCount = hasRows ? count : 0,
            };
            if (_producers.Stage(kept) == ProducerVerdict.New)
            {
                _admitted.Add(kept);
                row += kept.RowCount;
            }
            else
            {
                TakeOut(batch, row, kept.RowCount);
                Refuse(kept, ProducerVerdict.TooFarAhead);
            }

            offset = stop;
        }

        TakeOut(batch, row, hasRows ? (int)(end - offset) : 0);
    }

    // A message may be refused in many pieces, for the same reason.
    private void Refuse(in BatchEntry entry, ProducerVerdict verdict)
    {
        if (_refusal.Cause is null || _refusal.Sink != entry.Sink || _refusal.Verdict != verdict)
        {
            Exception cause = verdict == ProducerVerdict.Fenced
                ? new ProducerFencedException($"another session of producer '{entry.ProducerId}' has taken over")
                : new TooManyGapsException(
                    $"offset {entry.FirstOffset} of producer '{entry.ProducerId}' is more than "
                    + $"{ProducerTable.MaxRangesAhead} gaps ahead of what is durable");
            _refusal = (entry.Sink, verdict, cause);
        }

        TellFailed(entry, _refusal.Cause);
    }

    private void CommitProducers(ulong segmentId)
    {
        _producers.Commit(segmentId, _log.NowSeconds);
        _producers.TakeCommitted(_advanced);
    }

    // After the senders of the group were told.
    private void TellProducers()
    {
        StoreOffsetsWithoutRows();
        foreach (var producer in _advanced)
        {
            TellAdvanced(producer);
        }

        _advanced.Clear();
    }

    // Rejected offsets alone never reach the store: once all rows before them have, nothing is left to wait for.
    private void StoreOffsetsWithoutRows()
    {
        if (_sealedOffsets.Count > 0 || _segment is { Rows: > 0 })
        {
            return;
        }

        foreach (var producer in _producers.Unsealed)
        {
            if (producer.StoredOffset < producer.Offsets.End)
            {
                producer.StoredOffset = producer.Offsets.End;
                _advanced.Add(producer);
            }
        }
    }

    private void TellAdvanced(ProducerState producer)
    {
        try
        {
            producer.Session?.OnAdvanced(producer.Offsets.End, producer.StoredOffset);
        }
        catch (Exception e)
        {
            LogMessages.SinkFailed(_logger, Table.Name, e);
        }
    }

    // The store may delete a segment as soon as it is published, so what it says of producers is saved first.
    private void PublishSealed(SealedSegment segment)
    {
        _sealedOffsets.Enqueue(new SealedOffsets(segment.SegmentId, _producers.Seal()));
        _unpublished.Enqueue(segment);
        PublishWaiting();
    }

    private void PublishWaiting()
    {
        if (!TryRecordEnds() || !TrySaveProducers())
        {
            _sealTimer.Change(_options.SegmentAge, Timeout.InfiniteTimeSpan);
            return;
        }

        while (_unpublished.TryDequeue(out var segment))
        {
            _log.Publish(segment);
        }
    }

    private bool TryRecordEnds()
    {
        try
        {
            RecordEnds();
            return true;
        }
        catch (Exception e) when (DiskFault.Is(e))
        {
            LogMessages.EndNotRecordedYet(_logger, _rolledBack[0].Files.Data, e);
            return false;
        }
    }

    private bool TrySaveProducers()
    {
        try
        {
            _producerFile.Save(_producers);
            return true;
        }
        catch (Exception e) when (DiskFault.Is(e))
        {
            LogMessages.ProducersNotSaved(_logger, _producerFile.Path, _unpublished.Count, e);
            return false;
        }
    }

    private void TakeReleases()
    {
        while (_releases.TryDequeue(out var id))
        {
            _released.Add(id);
        }

        if (_released.Count == 0)
        {
            return;
        }

        while (_sealedOffsets.TryPeek(out var oldest) && _released.Remove(oldest.SegmentId))
        {
            _sealedOffsets.Dequeue();
            foreach (var (producer, end) in oldest.Producers)
            {
                producer.StoredOffset = Math.Max(producer.StoredOffset, end);
                _advanced.Add(producer);
            }
        }

        if (!_log.HasUndeletedSegments)
        {
            _producers.ForgetExpiredBefore(
                _sealedOffsets.TryPeek(out var next) ? next.SegmentId : _segment?.Id ?? ulong.MaxValue);
        }

        TellProducers();
    }
}
