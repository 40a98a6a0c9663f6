using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Agents.Tests;

/// <summary>Rows to send.</summary>
internal static class Rows
{
    public static DateTime Start { get; } = new(2026, 3, 2, 12, 0, 0, DateTimeKind.Utc);

    public static GpsPoint Point(
        string driver, double seconds, double lat = -23.55, double lon = -46.63, string order = "") => new()
    {
        DriverId = driver,
        OrderId = order,
        Location = new Location { Lat = lat, Lon = lon },
        SpeedKph = (float)seconds,
        TripStage = TripStage.ToPickup,
        TrafficDensity = TrafficDensity.Light,
        ZoneType = "centre",
        Timestamp = Timestamp.FromDateTime(Start.AddSeconds(seconds)),
    };

    public static Order Order(string id, OrderStatus status = OrderStatus.Placed, string driver = "") => new()
    {
        OrderId = id,
        RestaurantId = "r1",
        Pickup = new Location { Lat = -23.55, Lon = -46.63 },
        Dropoff = new Location { Lat = -23.57, Lon = -46.65 },
        PlacedAt = Timestamp.FromDateTime(Start),
        ReadyAt = Timestamp.FromDateTime(Start.AddMinutes(10)),
        DueAt = Timestamp.FromDateTime(Start.AddMinutes(40)),
        Status = status,
        DriverId = driver,
    };

    public static Event Event(string type, string entity, params (string Name, string Value)[] properties)
    {
        var row = new Event
        {
            EventId = $"{type}-{entity}",
            EventType = type,
            EntityType = "test",
            EntityId = entity,
            Timestamp = Timestamp.FromDateTime(Start),
            Properties = new Struct(),
        };
        foreach ((string name, string value) in properties)
        {
            row.Properties.Fields[name] = Value.ForString(value);
        }

        return row;
    }
}
