namespace Ingest.Agents.Delivery;

/// <summary>
/// How much longer than predicted it took, for predictions of about one length: the latest ratios, and from them the
/// quantiles that new predictions are corrected by.
/// </summary>
/// <remarks>
/// Split conformal prediction on ratios (Vovk, Gammerman and Shafer, 2005; Lei et al., 2018): with n ratios the bound
/// of a share p is the ceil((n + 1) p)-th smallest, which covers at least p of what comes if that is like what came.
/// Before there is data the bucket holds ratios of a prior, spread as the logarithm of 1 by 0.35; each that is observed
/// puts one of those out.
/// </remarks>
internal sealed class ResidualBucket
{
    /// <summary>Ratios that are kept.</summary>
    public const int Capacity = 400;

    private const int PriorCount = 19;
    private const double PriorSpread = 0.35;

    private readonly double[] _latest = new double[Capacity];
    private double[] _sorted = [];
    private int _next;

    /// <summary>Ratios that were observed and are kept.</summary>
    public int Count { get; private set; }

    /// <summary>The latest ratios, in no order.</summary>
    public ReadOnlySpan<double> Ratios => _latest.AsSpan(0, Count);

    /// <summary>Takes a ratio: what it took over what was predicted.</summary>
    public void Add(double ratio)
    {
        _latest[_next] = Math.Clamp(ratio, 0.02, 50);
        _next = (_next + 1) % Capacity;
        Count = Math.Min(Count + 1, Capacity);
        _sorted = [];
    }

    /// <summary>The ratio that a share of what comes stays under.</summary>
    public double Quantile(double share)
    {
        double[] sorted = Sorted();
        int rank = share < 0.5
            ? (int)Math.Floor((sorted.Length + 1) * share)
            : (int)Math.Ceiling((sorted.Length + 1) * share);
        return sorted[Math.Clamp(rank - 1, 0, sorted.Length - 1)];
    }

    /// <summary>The share of ratios between two, with one more on either side of unknown place.</summary>
    public double ShareBetween(double low, double high)
    {
        double[] sorted = Sorted();
        int inside = 0;
        foreach (double ratio in sorted)
        {
            inside += ratio >= low && ratio <= high ? 1 : 0;
        }

        return (inside + 0.5) / (sorted.Length + 1);
    }

    private double[] Sorted()
    {
        if (_sorted.Length == 0)
        {
            int prior = Math.Max(0, PriorCount - Count);
            _sorted = [.. _latest.AsSpan(0, Count), .. Prior(prior)];
            Array.Sort(_sorted);
        }

        return _sorted;
    }

    private static IEnumerable<double> Prior(int count)
    {
        for (int i = 1; i <= count; i++)
        {
            // Quantiles of the logistic distribution, near enough to the normal one and of closed form.
            double share = i / (count + 1.0);
            yield return Math.Exp(PriorSpread * Math.Log(share / (1 - share)) * 0.5513);
        }
    }
}
