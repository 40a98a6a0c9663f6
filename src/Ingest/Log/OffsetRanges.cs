namespace Ingest.Log;

/// <summary>A set of offsets: all below an end, and ranges ahead of it.</summary>
/// <remarks>
/// A producer's messages may be in different open batches, so they can become durable out of order for a moment; what
/// is ahead of the first gap is kept as ranges until the gap closes. One thread at a time.
/// </remarks>
internal sealed class OffsetRanges
{
    private readonly List<(long Start, long End)> _ahead = [];

    /// <summary>The first offset that is not in the set.</summary>
    public long End { get; private set; }

    /// <summary>Ranges beyond it, apart from each other, in order; ends are exclusive.</summary>
    public IReadOnlyList<(long Start, long End)> Ahead => _ahead;

    /// <summary>Whether the set has any of these offsets.</summary>
    public bool Overlaps(long start, long end)
    {
        if (start < End)
        {
            return true;
        }

        foreach (var range in _ahead)
        {
            if (range.Start < end && start < range.End)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Adds offsets, new ones or again.</summary>
    public void Add(long start, long end)
    {
        if (start >= end || end <= End)
        {
            return;
        }

        if (start > End)
        {
            AddAhead(start, end);
            return;
        }

        End = end;
        while (_ahead.Count > 0 && _ahead[0].Start <= End)
        {
            End = Math.Max(End, _ahead[0].End);
            _ahead.RemoveAt(0);
        }
    }

    /// <summary>Finds which of these offsets the set does not have, as ranges in order.</summary>
    public void FindMissing(long start, long end, List<(long Start, long End)> missing)
    {
        start = Math.Max(start, End);
        foreach (var range in _ahead)
        {
            if (range.End <= start)
            {
                continue;
            }

            if (range.Start >= end)
            {
                break;
            }

            if (range.Start > start)
            {
                missing.Add((start, range.Start));
            }

            start = range.End;
        }

        if (start < end)
        {
            missing.Add((start, end));
        }
    }

    /// <summary>What the set has now, for <see cref="Restore"/>. Allocates only while ranges are ahead.</summary>
    public (long End, (long Start, long End)[] Ahead) Save() => (End, _ahead.Count == 0 ? [] : [.. _ahead]);

    /// <summary>Makes the set what it was.</summary>
    public void Restore(in (long End, (long Start, long End)[] Ahead) saved)
    {
        End = saved.End;
        _ahead.Clear();
        _ahead.AddRange(saved.Ahead);
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
