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
