namespace Ingest.Log;

/// <summary>How far one producer's rows of one table are durable.</summary>
/// <remarks>
/// A producer's messages may be in different open batches, so they can become durable out of order for a moment; what
/// is ahead of the first gap is kept as ranges until the gap closes. One thread at a time.
/// </remarks>
internal sealed class ProducerProgress
{
    private readonly List<(long Start, long End)> _ahead = [];

    /// <summary>Highest session number seen.</summary>
    public long SessionEpoch { get; private set; }

    /// <summary>The first offset that is not durable.</summary>
    public long DurableOffset { get; private set; }

    /// <summary>Durable ranges beyond it, apart from each other, in order; ends are exclusive.</summary>
    public IReadOnlyList<(long Start, long End)> Ahead => _ahead;

    /// <summary>Takes offsets as durable, once or again.</summary>
    /// <param name="sessionEpoch">Session in which they came.</param>
    /// <param name="first">First offset.</param>
    /// <param name="count">Offsets, rejected rows included.</param>
    public void Add(long sessionEpoch, long first, int count)
    {
        SessionEpoch = Math.Max(SessionEpoch, sessionEpoch);
        var end = first + count;
        if (count <= 0 || end <= DurableOffset)
        {
            return;
        }

        if (first > DurableOffset)
        {
            AddAhead(first, end);
            return;
        }

        DurableOffset = end;
        while (_ahead.Count > 0 && _ahead[0].Start <= DurableOffset)
        {
            DurableOffset = Math.Max(DurableOffset, _ahead[0].End);
            _ahead.RemoveAt(0);
        }
    }

    private void AddAhead(long start, long end)
    {
        var at = 0;
        while (at < _ahead.Count && _ahead[at].End < start)
        {
            at++;
        }

        while (at < _ahead.Count && _ahead[at].Start <= end)
        {
            start = Math.Min(start, _ahead[at].Start);
            end = Math.Max(end, _ahead[at].End);
            _ahead.RemoveAt(at);
        }

        _ahead.Insert(at, (start, end));
    }
}
