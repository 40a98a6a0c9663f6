using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Tests.Decoding;

/// <summary>Rows as columns, as a sender would make them: repeated strings with a dictionary, the others as they are.</summary>
internal static class ColumnsOf
{
    public static GpsPointColumns Points(IEnumerable<GpsPoint> rows)
    {
        GpsPoint[] points = [.. rows];
        return new GpsPointColumns
        {
            RowCount = (uint)points.Length,
            DriverId = Coded(points.Select(p => p.DriverId)),
            OrderId = new StringColumn { Values = { points.Select(p => p.OrderId) } },
            LocationLat = { points.Select(p => p.Location.Lat) },
            LocationLon = { points.Select(p => p.Location.Lon) },
            SpeedKph = { points.Select(p => p.SpeedKph) },
            TripStage = { points.Select(p => p.TripStage) },
            TrafficDensity = { points.Select(p => p.TrafficDensity) },
            ZoneType = Coded(points.Select(p => p.ZoneType)),
            Timestamp = Times(points.Select(p => p.Timestamp)),
            AnomalyFlags = new StringListColumn
            {
                Lengths = { points.Select(p => (uint)p.AnomalyFlags.Count) },
                Items = Coded(points.SelectMany(p => p.AnomalyFlags)),
            },
        };
    }

    public static EventColumns Events(IEnumerable<Event> rows)
    {
        Event[] events = [.. rows];
        return new EventColumns
        {
            RowCount = (uint)events.Length,
            EventId = new StringColumn { Values = { events.Select(e => e.EventId) } },
            EventType = Coded(events.Select(e => e.EventType)),
            EntityType = Coded(events.Select(e => e.EntityType)),
            EntityId = Coded(events.Select(e => e.EntityId)),
            Timestamp = Times(events.Select(e => e.Timestamp)),
            Properties = { events.Select(e => e.Properties) },
        };
    }

    public static StringColumn Coded(IEnumerable<string> values)
    {
        var places = new Dictionary<string, uint>();
        var column = new StringColumn();
        foreach (string value in values)
        {
            if (places.TryAdd(value, (uint)places.Count))
            {
                column.Dictionary.Add(value);
            }

            column.Indexes.Add(places[value]);
        }

        return column;
    }

    private static TimestampColumn Times(IEnumerable<Timestamp> times)
    {
        long[] micros = [.. times.Select(t => (t.Seconds * 1_000_000) + (t.Nanos / 1000))];
        return new TimestampColumn
        {
            FirstMicros = micros[0],
            DeltaMicros = { micros.Zip(micros.Skip(1), (before, after) => after - before) },
        };
    }
}
