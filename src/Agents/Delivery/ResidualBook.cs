namespace Ingest.Agents.Delivery;

/// <summary>Buckets of residuals by stage and by length of the prediction.</summary>
internal sealed class ResidualBook
{
    /// <summary>
    /// Added to both sides of a ratio, so that half a minute at the end of a way is not a factor of ten.
    /// </summary>
    public const double OffsetMinutes = 1;

    private static readonly double[] s_bounds = [2, 4, 7, 11, 16, 23, 32, 45];
    private readonly ResidualBucket[] _buckets =
        [.. Enumerable.Range(0, Enum.GetValues<EtaStage>().Length * (s_bounds.Length + 1))
            .Select(_ => new ResidualBucket())];

    /// <summary>All buckets, in a fixed order.</summary>
    public IReadOnlyList<ResidualBucket> Buckets => _buckets;

    /// <summary>The bucket of a prediction.</summary>
    public ResidualBucket Of(EtaStage stage, double minutes) => _buckets[IndexOf(stage, minutes)];

    /// <summary>Place of a prediction's bucket.</summary>
    public static int IndexOf(EtaStage stage, double minutes)
    {
        int bucket = 0;
        while (bucket < s_bounds.Length && minutes >= s_bounds[bucket])
        {
            bucket++;
        }

        return ((int)stage * (s_bounds.Length + 1)) + bucket;
    }

    /// <summary>Learns how long it really took.</summary>
    public void Learn(EtaStage stage, double predictedMinutes, double actualMinutes) =>
        Of(stage, predictedMinutes).Add(
            (Math.Max(0, actualMinutes) + OffsetMinutes) / (predictedMinutes + OffsetMinutes));
}
