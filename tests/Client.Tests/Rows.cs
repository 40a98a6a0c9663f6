using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Client.Tests;

/// <summary>Rows for tests.</summary>
internal static class Rows
{
    private static readonly DateTime Start = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public static GpsPoint Point(int number) => new()
    {
        DriverId = $"driver-{number % 100}",
        OrderId = $"order-{number}",
        Location = new Location { Lat = 41.3 + (number % 1000 * 0.0001), Lon = 2.1 },
        SpeedKph = number % 60,
        TripStage = TripStage.ToPickup,
        ZoneType = "residential",
        Timestamp = Timestamp.FromDateTime(Start.AddMilliseconds(number)),
        AnomalyFlags = { "gps_jump" },
    };
}
