using Ingest.V1;

namespace Ingest.Agents.Delivery;

/// <summary>An order that is not delivered yet. Times are Unix microseconds, 0 where unknown.</summary>
internal sealed class TrackedOrder
{
    public required string OrderId { get; init; }

    public string RestaurantId { get; set; } = "";

    public GeoPoint Pickup { get; set; }

    public GeoPoint Dropoff { get; set; }

    public long PlacedAt { get; set; }

    public long ReadyAt { get; set; }

    public OrderStatus Status { get; set; }

    public string DriverId { get; set; } = "";

    public EtaStage Stage { get; set; }

    /// <summary>Event time of the latest row about it.</summary>
    public long UpdatedAt { get; set; }

    /// <summary>Event time of the last prediction that was emitted.</summary>
    public long EmittedAt { get; set; }

    /// <summary>What it said.</summary>
    public long EmittedPickup { get; set; }

    /// <summary>What it said.</summary>
    public long EmittedDelivery { get; set; }

    /// <summary>How far the order was then.</summary>
    public EtaStage EmittedStage { get; set; }

    /// <summary>
    /// Predictions to be compared with what comes: when, how far the order was, and the minutes.
    /// </summary>
    public List<(long At, EtaStage Stage, double Minutes)> Pending { get; } = [];
}
