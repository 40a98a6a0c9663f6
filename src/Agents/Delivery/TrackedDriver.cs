namespace Ingest.Agents.Delivery;

/// <summary>A driver who has orders.</summary>
internal sealed class TrackedDriver
{
    public required string DriverId { get; init; }

    public List<TrackedOrder> Orders { get; } = [];

    /// <summary>The latest place; not known before the first point.</summary>
    public GeoPoint Place { get; set; }

    /// <summary>Event time of the latest point, Unix microseconds; 0 before the first.</summary>
    public long At { get; set; }
}
