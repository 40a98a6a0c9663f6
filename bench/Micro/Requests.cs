using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Micro;

/// <summary>Requests as the end-to-end comparison's generator makes them: the same fields and value ranges.</summary>
internal static class Requests
{
    /// <summary>Rows of a request.</summary>
    public const int Rows = 1000;

    /// <summary>The server's clock: the rows' times lie behind it.</summary>
    public const long NowSeconds = 1_790_001_000;

    private const long FirstSecond = 1_790_000_000;
    private const int Drivers = 5000;

    public static StreamGpsPointsRequest Points()
    {
        var random = new Random(7);
        var request = new StreamGpsPointsRequest();
        for (int i = 0; i < Rows; i++)
        {
            int driver = i % Drivers;
            request.Points.Add(new GpsPoint
            {
                DriverId = $"driver_{driver}",
                OrderId = $"order_{driver * 7}",
                Location = new Location
                {
                    Lat = -23.55 + (random.NextDouble() * 0.2) - 0.1,
                    Lon = -46.63 + (random.NextDouble() * 0.2) - 0.1,
                },
                SpeedKph = random.NextSingle() * 60,
                TripStage = (TripStage)(1 + (i % 4)),
                TrafficDensity = (TrafficDensity)(1 + (i % 3)),
                ZoneType = "business_district",
                Timestamp = new Timestamp { Seconds = FirstSecond, Nanos = i % Drivers * 200_000 },
            });
        }

        return request;
    }

    /// <summary>Ad events with five properties, one of them nested.</summary>
    public static StreamEventsRequest Events()
    {
        var request = new StreamEventsRequest();
        for (int i = 0; i < Rows; i++)
        {
            request.Events.Add(new Event
            {
                EventId = $"event_{i}",
                EventType = i % 3 == 0 ? "ad_click" : "ad_impression",
                EntityType = "campaign",
                EntityId = $"campaign_{i % 50}",
                Timestamp = new Timestamp { Seconds = FirstSecond, Nanos = i * 200_000 },
                Properties = new Struct
                {
                    Fields =
                    {
                        ["channel"] = Value.ForString("paid_search"),
                        ["cost_usd"] = Value.ForNumber(i % 100 / 100.0),
                        ["position"] = Value.ForNumber(i % 10),
                        ["converted"] = Value.ForBool(i % 2 == 0),
                        ["user"] = Value.ForStruct(new Struct
                        {
                            Fields = { ["segment"] = Value.ForString("returning") },
                        }),
                    },
                },
            });
        }

        return request;
    }
}
