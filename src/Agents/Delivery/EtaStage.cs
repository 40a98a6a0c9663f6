namespace Ingest.Agents.Delivery;

/// <summary>How far an order is.</summary>
internal enum EtaStage
{
    /// <summary>Nobody is on the way to it.</summary>
    Waiting,

    /// <summary>A driver is on the way to it, or waits for it.</summary>
    ToPickup,

    /// <summary>A driver has it.</summary>
    ToDropoff,
}
