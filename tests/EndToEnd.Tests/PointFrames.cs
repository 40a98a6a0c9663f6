using System.Buffers.Binary;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests;

/// <summary>gRPC frames of StreamGpsPoints requests, made by Google.Protobuf.</summary>
internal static class PointFrames
{
    private static readonly Timestamp s_start = Timestamp.FromDateTime(new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));

    /// <summary>A valid point; its order id is its number.</summary>
    public static GpsPoint Point(int number, string driver = "driver") => new()
    {
        DriverId = driver,
        OrderId = $"{number}",
        Location = new Location { Lat = -23.5, Lon = -46.6 },
        SpeedKph = number % 60,
        TripStage = TripStage.ToPickup,
        Timestamp = s_start + Duration.FromTimeSpan(TimeSpan.FromSeconds(number)),
    };

    /// <summary>The points from a number on as columns.</summary>
    public static GpsPointColumns ColumnsOf(int first, int count, string driver = "driver")
    {
        const long microsPerSecond = 1_000_000;
        GpsPoint[] points = [.. Enumerable.Range(first, count).Select(number => Point(number, driver))];
        return new GpsPointColumns
        {
            RowCount = (uint)count,
            DriverId = new StringColumn { Dictionary = { driver }, Indexes = { Enumerable.Repeat(0U, count) } },
            OrderId = new StringColumn { Values = { points.Select(point => point.OrderId) } },
            LocationLat = { points.Select(point => point.Location.Lat) },
            LocationLon = { points.Select(point => point.Location.Lon) },
            SpeedKph = { points.Select(point => point.SpeedKph) },
            TripStage = { points.Select(point => point.TripStage) },
            Timestamp = new TimestampColumn
            {
                FirstMicros = points[0].Timestamp.Seconds * microsPerSecond,
                DeltaMicros = { Enumerable.Repeat(microsPerSecond, count - 1) },
            },
        };
    }

    /// <summary>The frame of a request.</summary>
    public static byte[] Frame(IMessage request) => Frame(request.ToByteArray());

    /// <summary>The frame of a message, whatever its bytes.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> message)
    {
        var frame = new byte[5 + message.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)message.Length);
        message.CopyTo(frame.AsSpan(5));
        return frame;
    }
}
