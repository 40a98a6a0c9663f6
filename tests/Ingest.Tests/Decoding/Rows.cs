using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Tests.Decoding;

/// <summary>Good rows of the tables, to be spoilt in one place.</summary>
internal static class Rows
{
    public const long Now = 1_790_000_000;

    public static GpsPoint Point(int i = 0) => new()
    {
        DriverId = $"driver_{i % 5000}",
        OrderId = $"order_{i % 5000 * 7}",
        Location = new Location { Lat = -23.55 + (i % 100 / 1000.0), Lon = -46.63 },
        SpeedKph = i % 60,
        TripStage = (TripStage)(1 + (i % 4)),
        TrafficDensity = (TrafficDensity)(1 + (i % 3)),
        ZoneType = "business_district",
        Timestamp = new Timestamp { Seconds = Now - 1000 + (i / 5000), Nanos = i % 5000 * 200_000 },
    };

    public static Event Event(int i = 0) => new()
    {
        EventId = $"event_{i}",
        EventType = "ad_click",
        EntityType = "campaign",
        EntityId = $"campaign_{i % 50}",
        Timestamp = new Timestamp { Seconds = Now - 1000 + i },
        Properties = Struct.Parser.ParseJson(
            $$"""
            { "channel": "search", "cost": 0.25, "position": {{i % 10}}, "converted": {{(i % 2 == 0 ? "true" : "false")}},
              "user": { "segment": "new", "age": 31 }, "tags": ["a", 1, null, { "b": true }] }
            """),
    };

    public static MetricSample Sample(int i = 0) => new()
    {
        CampaignId = $"campaign_{i % 50}",
        Timestamp = new Timestamp { Seconds = Now - 1000 + i },
        Metrics = { ["spend_usd"] = i * 0.1, ["clicks"] = i, ["impressions"] = i * 100 },
        Labels = { ["channel"] = "search", ["region"] = $"region_{i % 7}" },
    };

    public static Order Order(int i = 0) => new()
    {
        OrderId = $"order_{i}",
        RestaurantId = $"restaurant_{i % 200}",
        Pickup = new Location { Lat = 1, Lon = 2 },
        Dropoff = new Location { Lat = 3, Lon = 4 },
        PlacedAt = new Timestamp { Seconds = Now - 1000, Nanos = 5000 },
        DueAt = new Timestamp { Seconds = Now + 1000 },
        Status = OrderStatus.Placed,
        DriverId = $"driver_{i % 300}",
    };

    /// <summary>Good rows of a table with the server's rules.</summary>
    public static byte[][] Of(string table, int count) => [.. Enumerable.Range(0, count).Select(i => (table switch
    {
        nameof(GpsPoint) => (IMessage)Point(i),
        nameof(V1.Event) => Event(i),
        nameof(MetricSample) => Sample(i),
        _ => Order(i),
    }).ToByteArray())];
}
