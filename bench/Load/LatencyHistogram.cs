using System.Numerics;

namespace Ingest.Load;

/// <summary>
/// Counts times in buckets that are at most 1.6 % wide, from a microsecond to an hour, in fixed memory: the layout of
/// HdrHistogram (Tene, 2012) with 64 buckets to each doubling.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 6;
    private const int SubBuckets = 1 << SubBits;

    private readonly long[] _counts = new long[(32 - SubBits + 1) * SubBuckets];

    /// <summary>Times that were counted.</summary>
    public long Count { get; private set; }

    /// <summary>The longest, in microseconds.</summary>
    public long MaxMicros { get; private set; }

    /// <summary>Counts a time.</summary>
    public void Add(long micros)
    {
        micros = Math.Clamp(micros, 0, uint.MaxValue);
        _counts[IndexOf((uint)micros)]++;
        Count++;
        MaxMicros = Math.Max(MaxMicros, micros);
    }

    /// <summary>Takes what another counted.</summary>
    public void Add(LatencyHistogram other)
    {
        for (int i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
        MaxMicros = Math.Max(MaxMicros, other.MaxMicros);
    }

    /// <summary>Microseconds that so large a share of the times do not exceed; the upper end of their bucket.</summary>
    /// <param name="share">0 to 1.</param>
    public long Percentile(double share)
    {
        long left = (long)Math.Ceiling(share * Count);
        for (int i = 0; i < _counts.Length; i++)
        {
            left -= _counts[i];
            if (left <= 0 && _counts[i] > 0)
            {
                return Math.Min(MaxMicros, UpperEnd(i));
            }
        }

        return MaxMicros;
    }

    // The first 64 buckets are a microsecond each; then 64 to each doubling.
    private static int IndexOf(uint micros)
    {
        int exponent = Math.Max(0, 31 - BitOperations.LeadingZeroCount(micros) - SubBits);
        return (exponent * SubBuckets) + (int)(micros >> exponent);
    }

    private static long UpperEnd(int index)
    {
        int exponent = Math.Max(0, (index / SubBuckets) - 1);
        long step = index - ((long)exponent * SubBuckets);
        return ((step + 1) << exponent) - 1;
    }
}
