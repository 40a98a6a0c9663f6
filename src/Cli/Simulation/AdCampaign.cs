namespace Ingest.Cli.Simulation;

/// <summary>A campaign with its creatives, and what came of it since its last sample.</summary>
/// <param name="Id">The campaign.</param>
/// <param name="Channel">Where its ads are shown.</param>
/// <param name="CostUsd">What an impression costs.</param>
/// <param name="Share">Its share of all impressions; shares need not sum to 1.</param>
/// <param name="Creatives">Its creatives.</param>
internal sealed record AdCampaign(string Id, string Channel, double CostUsd, double Share, AdCreative[] Creatives)
{
    public int Impressions { get; set; }

    public int Clicks { get; set; }

    public int Conversions { get; set; }

    public double RevenueUsd { get; set; }
}
