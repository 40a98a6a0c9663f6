using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Load;

/// <summary>
/// Points as a fleet sends them: 5,000 drivers in turn, each on an order, five points a second; values from a fixed seed,
/// so that every run sends the same.
/// </summary>
internal static class PointMessages
{
    private const int Drivers = 5000;

    // A varint of any of the seconds has this length, so that another second can be put into bytes that are there.
    private const int SecondsBytes = 5;

    private static readonly long s_start =
        new DateTimeOffset(2026, 9, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds();

    /// <summary>So many points from a number on.</summary>
    public static GpsPoint[] Points(int first, int count)
    {
        var random = new Random(first);
        var points = new GpsPoint[count];
        for (int i = 0; i < count; i++)
        {
            int number = first + i;
            int driver = number % Drivers;
            points[i] = new GpsPoint
            {
                DriverId = $"driver_{driver}",
                OrderId = $"order_{(driver * 7) + (number / (10 * Drivers))}",
                Location = new Location
                {
                    Lat = -23.55 + (0.2 * (random.NextDouble() - 0.5)), Lon = -46.63 + (0.2 * (random.NextDouble() - 0.5)),
                },
                SpeedKph = (float)(60 * random.NextDouble()),
                TripStage = (TripStage)(1 + (number % 4)),
                TrafficDensity = (TrafficDensity)(1 + (number % 3)),
                ZoneType = "business_district",
                Timestamp = new Timestamp { Seconds = s_start + (number / Drivers), Nanos = driver * 200_000 },
            };
        }

        return points;
    }

    /// <summary>The same as columns.</summary>
    public static GpsPointColumns Columns(GpsPoint[] points) => new()
    {
        RowCount = (uint)points.Length,
        DriverId = Text(points.Select(point => point.DriverId)),
        OrderId = Text(points.Select(point => point.OrderId)),
        LocationLat = { points.Select(point => point.Location.Lat) },
        LocationLon = { points.Select(point => point.Location.Lon) },
        SpeedKph = { points.Select(point => point.SpeedKph) },
        TripStage = { points.Select(point => point.TripStage) },
        TrafficDensity = { points.Select(point => point.TrafficDensity) },
        ZoneType = Text(points.Select(point => point.ZoneType)),
        Timestamp = new TimestampColumn
        {
            FirstMicros = Micros(points[0]),
            DeltaMicros = { points.Zip(points.Skip(1), (before, after) => Micros(after) - Micros(before)) },
        },
    };

    /// <summary>A message of StreamGpsPoints, or of Append but for its offset.</summary>
    public static PointMessage Message(int first, int count, bool asColumns, bool asAppend)
    {
        GpsPoint[] points = Points(first, count);
        byte[] bytes = (asAppend
            ? (IMessage)(asColumns
                ? new AppendRows { GpsPointColumns = Columns(points) }
                : new AppendRows { GpsPoints = new GpsPointRows { Points = { points } } })
            : asColumns
                ? new StreamGpsPointsRequest { Columns = Columns(points) }
                : new StreamGpsPointsRequest { Points = { points } }).ToByteArray();
        var places = new List<TimePlace>();
        int at = 0;
        Span<byte> field = stackalloc byte[1 + sizeof(long)];
        foreach (GpsPoint point in asColumns ? points.AsSpan(0, 1) : points)
        {
            // Field 1 of TimestampColumn is a fixed64, of Timestamp a varint.
            field[0] = asColumns ? (byte)0x09 : (byte)0x08;
            Span<byte> value = field.Slice(1, asColumns ? sizeof(long) : SecondsBytes);
            var place = new TimePlace(0, value.Length, asColumns ? Micros(point) : point.Timestamp.Seconds, !asColumns);
            place.Write(value, later: 0);
            int found = bytes.AsSpan(at).IndexOf(field[..(1 + value.Length)]);
            at += found >= 0 ? found + 1 : throw new InvalidOperationException("A point's time is not in its message.");
            places.Add(place with { At = at });
        }

        return new PointMessage(bytes, [.. places], SecondsOf(first));
    }

    /// <summary>Seconds in which the fleet sends so many points.</summary>
    public static long SecondsOf(long points) => points / Drivers;

    /// <summary>Writes a varint that takes all of the target.</summary>
    public static void WriteVarint(Span<byte> target, long value)
    {
        for (int i = 0; i < target.Length; i++, value >>= 7)
        {
            target[i] = (byte)((value & 0x7f) | (i < target.Length - 1 ? 0x80L : 0));
        }
    }

    private static long Micros(GpsPoint point) => (point.Timestamp.Seconds * 1_000_000) + (point.Timestamp.Nanos / 1000);

    private static StringColumn Text(IEnumerable<string> values)
    {
        var column = new StringColumn();
        var known = new Dictionary<string, uint>(StringComparer.Ordinal);
        foreach (string value in values)
        {
            if (!known.TryGetValue(value, out uint index))
            {
                known.Add(value, index = (uint)known.Count);
                column.Dictionary.Add(value);
            }

            column.Indexes.Add(index);
        }

        return column;
    }
}
