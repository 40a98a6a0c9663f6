namespace Ingest.Agents.Delivery;

/// <summary>Predicts when orders are picked up and delivered.</summary>
public sealed class EtaAgent : Agent
{
    /// <summary>Makes one.</summary>
    public EtaAgent() => Reads("orders");

    /// <inheritdoc/>
    public override string Name => "eta";
}
