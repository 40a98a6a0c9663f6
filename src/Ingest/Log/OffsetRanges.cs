namespace Ingest.Log;

/// <summary>A set of offsets: all below an end, and ranges ahead of it.</summary>
/// <remarks>
/// A producer's messages may be in different open batches, so they can become durable out of order for a moment, and
/// rejected rows follow behind the others; what is ahead of the first gap is kept as ranges until the gap closes. To add
/// behind the last range or to close the first gap takes no time that grows with the ranges. One thread at a time.
/// </remarks>
internal sealed class OffsetRanges
{
    // Ranges that the end has passed are let go of in stretches: one by one each would move all that follow.
    private const int PassedKept = 64;

    private readonly List<(long Start, long End)> _ranges = [];
    private int _passed;

    /// <summary>The first offset that is not in the set.</summary>
    public long End { get; private set; }

    /// <summary>Ranges beyond it, apart from each other, in order; ends are exclusive.</summary>
    public IReadOnlyList<(long Start, long End)> Ahead =>
        _passed == 0 ? _ranges : _ranges.GetRange(_passed, AheadCount);

    /// <summary>How many ranges there are beyond it.</summary>
    public int AheadCount => _ranges.Count - _passed;

    /// <summary>Whether the set has any of these offsets.</summary>
    public bool Overlaps(long start, long end)
    {
        if (start < End)
        {
            return true;
        }

        var at = FirstThatEndsAfter(start);
        return at < _ranges.Count && _ranges[at].Start < end;
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
        while (_passed < _ranges.Count && _ranges[_passed].Start <= End)
        {
            End = Math.Max(End, _ranges[_passed++].End);
        }

        LetPassedGo();
    }

    /// <summary>Finds which of these offsets the set does not have, as ranges in order.</summary>
    public void FindMissing(long start, long end, List<(long Start, long End)> missing)
    {
        start = Math.Max(start, End);
        for (var at = FirstThatEndsAfter(start); at < _ranges.Count && _ranges[at].Start < end; at++)
        {
            if (_ranges[at].Start > start)
            {
                missing.Add((start, _ranges[at].Start));
            }

            start = _ranges[at].End;
        }

        if (start < end)
        {
            missing.Add((start, end));
        }
    }

    /// <summary>What the set has now, for <see cref="Restore"/>. Allocates only while ranges are ahead.</summary>
    public (long End, (long Start, long End)[] Ahead) Save() => (End, AheadCount == 0 ? [] : [.. Ahead]);

    /// <summary>Makes the set what it was.</summary>
    public void Restore(in (long End, (long Start, long End)[] Ahead) saved)
    {
        End = saved.End;
        _ranges.Clear();
        _passed = 0;
        _ranges.AddRange(saved.Ahead);
    }

    private void AddAhead(long start, long end)
    {
        // A range that ends where this one begins is joined too.
        var at = FirstThatEndsAfter(start - 1);
        var behind = at;
        while (behind < _ranges.Count && _ranges[behind].Start <= end)
        {
            start = Math.Min(start, _ranges[behind].Start);
            end = Math.Max(end, _ranges[behind++].End);
        }

        if (behind == at)
        {
            _ranges.Insert(at, (start, end));
            return;
        }

        _ranges[at] = (start, end);
        _ranges.RemoveRange(at + 1, behind - at - 1);
    }

    private int FirstThatEndsAfter(long offset)
    {
        var low = _passed;
        for (var high = _ranges.Count; low < high;)
        {
            var middle = (low + high) >> 1;
            (low, high) = _ranges[middle].End > offset ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    private void LetPassedGo()
    {
        if (_passed == _ranges.Count)
        {
            _ranges.Clear();
            _passed = 0;
        }
        else if (_passed >= PassedKept && _passed * 2 >= _ranges.Count)
        {
            _ranges.RemoveRange(0, _passed);
            _passed = 0;
        }
    }
}
