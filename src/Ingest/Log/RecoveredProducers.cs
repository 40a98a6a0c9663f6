namespace Ingest.Log;

/// <summary>
/// Puts a table's producers together at start: from the producer file, and from what the segments that are left say.
/// </summary>
internal sealed class RecoveredProducers(ProducerFile file)
{
    private readonly List<(ulong SegmentId, Dictionary<ProducerState, long> First)> _segments = [];

    /// <summary>The producers.</summary>
    public ProducerTable Table { get; } = new();

    /// <summary>Their file.</summary>
    public ProducerFile File => file;

    /// <summary>How far producers are stored once the segments that are left are.</summary>
    public Queue<SealedOffsets> Sealed { get; } = new();

    /// <summary>Whether the file says less than is known, or has pieces that cannot be read.</summary>
    public bool FileIsBehind { get; private set; }

    /// <summary>Reads the producer file.</summary>
    /// <returns>Bytes at its end that cannot be read.</returns>
    public long ReadFile()
    {
        var records = file.Read(out var damagedBytes);
        foreach (var record in records)
        {
            if (record.IsExpired)
            {
                Table.Expire(record.ProducerId, record.LastSegmentId);
                continue;
            }

            var producer = Table.GetOrAdd(record.ProducerId);
            producer.Epoch = Math.Max(producer.Epoch, record.Epoch);
            producer.LastSeen = Math.Max(producer.LastSeen, record.LastSeen);
            producer.LastSegmentId = Math.Max(producer.LastSegmentId, record.LastSegmentId);
            producer.Offsets.Add(0, record.End);
            foreach (var (start, end) in record.Ahead)
            {
                producer.Offsets.Add(start, end);
            }
        }

        FileIsBehind |= damagedBytes > 0;
        return damagedBytes;
    }

    /// <summary>Takes what a segment that is left says; segments come in the order of their ids.</summary>
    public void AddSegment(ulong segmentId, IEnumerable<ProducerEntry> entries)
    {
        var first = new Dictionary<ProducerState, long>();
        foreach (var entry in entries)
        {
            if (Table.Expired.TryGetValue(entry.ProducerId, out var last) && segmentId <= last)
            {
                continue;
            }

            var producer = Table.GetOrAdd(entry.ProducerId);
            FileIsBehind |= IsNews(producer, segmentId, entry);
            producer.Epoch = Math.Max(producer.Epoch, entry.SessionEpoch);
            producer.LastSeen = Math.Max(producer.LastSeen, SegmentIds.UnixSecondsOf(segmentId));
            producer.LastSegmentId = Math.Max(producer.LastSegmentId, segmentId);
            producer.Offsets.Add(entry.FirstOffset, entry.FirstOffset + entry.OffsetCount);
            first[producer] = Math.Min(first.GetValueOrDefault(producer, long.MaxValue), entry.FirstOffset);
        }

        _segments.Add((segmentId, first));
    }

    private static bool IsNews(ProducerState producer, ulong segmentId, ProducerEntry entry)
    {
        var end = entry.FirstOffset + entry.OffsetCount;
        return producer.Id.Length > 0
            && (entry.SessionEpoch > producer.Epoch || segmentId > producer.LastSegmentId
                || SegmentIds.UnixSecondsOf(segmentId) > producer.LastSeen
                || !(end <= producer.Offsets.End
                    || producer.Offsets.Ahead.Any(range => range.Start <= entry.FirstOffset && end <= range.End)));
    }

    /// <summary>
    /// Finds how far producers are stored: up to the first offset that a segment which is left has. To be called when
    /// all segments were added.
    /// </summary>
    /// <param name="waiting">Segments that go to the store.</param>
    public void Complete(IReadOnlySet<ulong> waiting)
    {
        var notStored = new Dictionary<ProducerState, long>();
        var sealedOffsets = new Stack<SealedOffsets>();
        for (var i = _segments.Count - 1; i >= 0; i--)
        {
            var (segmentId, first) = _segments[i];
            if (!waiting.Contains(segmentId))
            {
                continue;
            }

            sealedOffsets.Push(new SealedOffsets(
                segmentId, [.. first.Keys.Select(producer => (producer, EndBefore(producer)))]));
            foreach (var (producer, offset) in first)
            {
                notStored[producer] = Math.Min(offset, notStored.GetValueOrDefault(producer, long.MaxValue));
            }
        }

        foreach (var producer in Table.All)
        {
            producer.StoredOffset = EndBefore(producer);
        }

        while (sealedOffsets.TryPop(out var offsets))
        {
            Sealed.Enqueue(offsets);
        }

        long EndBefore(ProducerState producer) =>
            Math.Min(producer.Offsets.End, notStored.GetValueOrDefault(producer, long.MaxValue));
    }
}
