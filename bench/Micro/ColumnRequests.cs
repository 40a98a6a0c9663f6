using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Micro;

/// <summary>Rows as columns: strings with a dictionary where they repeat, and one by one where they do not.</summary>
internal static class ColumnRequests
{
    public static GpsPointColumns Points(IEnumerable<GpsPoint> rows)
    {
        GpsPoint[] points = [.. rows];
        return new GpsPointColumns
        {
            RowCount = (uint)points.Length,
            DriverId = Text([.. points.Select(p => p.DriverId)]),
            OrderId = Text([.. points.Select(p => p.OrderId)]),
            LocationLat = { points.Select(p => p.Location.Lat) },
            LocationLon = { points.Select(p => p.Location.Lon) },
            SpeedKph = { points.Select(p => p.SpeedKph) },
            TripStage = { points.Select(p => p.TripStage) },
            TrafficDensity = { points.Select(p => p.TrafficDensity) },
            ZoneType = Text([.. points.Select(p => p.ZoneType)]),
            Timestamp = Times([.. points.Select(p => p.Timestamp)]),
        };
    }

    public static EventColumns Events(IEnumerable<Event> rows)
    {
        Event[] events = [.. rows];
        return new EventColumns
        {
            RowCount = (uint)events.Length,
            EventId = Text([.. events.Select(e => e.EventId)]),
            EventType = Text([.. events.Select(e => e.EventType)]),
            EntityType = Text([.. events.Select(e => e.EntityType)]),
            EntityId = Text([.. events.Select(e => e.EntityId)]),
            Timestamp = Times([.. events.Select(e => e.Timestamp)]),
            Properties = { events.Select(e => e.Properties) },
        };
    }

    private static StringColumn Text(string[] values)
    {
        List<string> distinct = [.. values.Distinct()];
        if (distinct.Count > values.Length / 2)
        {
            return new StringColumn { Values = { values } };
        }

        Dictionary<string, uint> places = distinct.Select((value, place) => (value, place))
            .ToDictionary(pair => pair.value, pair => (uint)pair.place);
        return new StringColumn { Dictionary = { distinct }, Indexes = { values.Select(value => places[value]) } };
    }

    private static TimestampColumn Times(Timestamp[] times)
    {
        long[] micros = [.. times.Select(t => (t.Seconds * 1_000_000) + (t.Nanos / 1000))];
        return new TimestampColumn
        {
            FirstMicros = micros[0],
            DeltaMicros = { micros.Zip(micros.Skip(1), (before, after) => after - before) },
        };
    }
}
