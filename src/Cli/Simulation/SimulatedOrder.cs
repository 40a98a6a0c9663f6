using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Cli.Simulation;

/// <summary>An order in its life: placed, ready, picked up, delivered; or placed and cancelled.</summary>
internal sealed class SimulatedOrder
{
    public required string Id { get; init; }

    public required string RestaurantId { get; init; }

    /// <summary>The crossing where it is picked up.</summary>
    public required int Pickup { get; init; }

    /// <summary>The crossing where it is dropped off.</summary>
    public required int Dropoff { get; init; }

    public required DateTime PlacedAt { get; init; }

    /// <summary>When it is ready; known to the kitchen from the start.</summary>
    public required DateTime ReadyAt { get; init; }

    public required DateTime DueAt { get; init; }

    /// <summary>When the customer gives it up; null for an order that goes its way.</summary>
    public required DateTime? CancelledAt { get; init; }

    /// <summary>The driver; empty until one is found.</summary>
    public string DriverId { get; set; } = "";

    public OrderStatus Status { get; set; } = OrderStatus.Placed;

    /// <summary>The row of the order's present state.</summary>
    public Order ToRow(CityMap map) => new()
    {
        OrderId = Id,
        RestaurantId = RestaurantId,
        Pickup = map.Locate(Pickup),
        Dropoff = map.Locate(Dropoff),
        PlacedAt = Timestamp.FromDateTime(PlacedAt),
        ReadyAt = Timestamp.FromDateTime(ReadyAt),
        DueAt = Timestamp.FromDateTime(DueAt),
        Status = Status,
        DriverId = DriverId,
    };
}
