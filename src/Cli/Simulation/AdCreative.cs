namespace Ingest.Cli.Simulation;

/// <summary>An ad whose click-through rate wears off as it is shown.</summary>
/// <param name="Id">The creative.</param>
/// <param name="FreshRate">The rate of an ad that nobody has seen, 0 to 1.</param>
/// <param name="WearImpressions">After how many impressions most of the wear (1 - 1/e) has happened.</param>
internal sealed record AdCreative(string Id, double FreshRate, double WearImpressions)
{
    private const double Floor = 0.3;

    /// <summary>Times shown.</summary>
    public int Shown { get; set; }

    /// <summary>The rate of now: from the fresh rate down to three tenths of it, exponentially.</summary>
    public double ClickRate => FreshRate * (Floor + ((1 - Floor) * Math.Exp(-Shown / WearImpressions)));
}
