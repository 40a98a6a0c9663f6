using System.Text;
using System.Text.Json;
using Ingest.V1;

namespace Ingest.Micro;

/// <summary>GPS points as other senders send them to ClickHouse, written by hand and with care.</summary>
internal static class PointText
{
    private static readonly JsonEncodedText s_driverId = JsonEncodedText.Encode("driver_id");
    private static readonly JsonEncodedText s_orderId = JsonEncodedText.Encode("order_id");
    private static readonly JsonEncodedText s_lat = JsonEncodedText.Encode("location_lat");
    private static readonly JsonEncodedText s_lon = JsonEncodedText.Encode("location_lon");
    private static readonly JsonEncodedText s_speed = JsonEncodedText.Encode("speed_kph");
    private static readonly JsonEncodedText s_stage = JsonEncodedText.Encode("trip_stage");
    private static readonly JsonEncodedText s_density = JsonEncodedText.Encode("traffic_density");
    private static readonly JsonEncodedText s_zone = JsonEncodedText.Encode("zone_type");
    private static readonly JsonEncodedText s_timestamp = JsonEncodedText.Encode("timestamp");
    private static readonly JsonEncodedText s_flags = JsonEncodedText.Encode("anomaly_flags");

    /// <summary>JSONEachRow.</summary>
    public static void WriteJson(GpsPoint[] points, Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { SkipValidation = true });
        foreach (GpsPoint point in points)
        {
            json.Reset(stream);
            json.WriteStartObject();
            json.WriteString(s_driverId, point.DriverId);
            json.WriteString(s_orderId, point.OrderId);
            json.WriteNumber(s_lat, point.Location.Lat);
            json.WriteNumber(s_lon, point.Location.Lon);
            json.WriteNumber(s_speed, point.SpeedKph);
            json.WriteNumber(s_stage, (int)point.TripStage);
            json.WriteNumber(s_density, (int)point.TrafficDensity);
            json.WriteString(s_zone, point.ZoneType);
            json.WriteNumber(s_timestamp, Micros(point) / 1e6m);
            json.WriteStartArray(s_flags);
            foreach (string flag in point.AnomalyFlags)
            {
                json.WriteStringValue(flag);
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.Flush();
            stream.WriteByte((byte)'\n');
        }
    }

    /// <summary>RowBinary.</summary>
    public static void WriteRowBinary(GpsPoint[] points, Stream stream)
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        foreach (GpsPoint point in points)
        {
            // BinaryWriter writes strings as ClickHouse has them: a varint of the bytes, and the bytes.
            writer.Write(point.DriverId);
            writer.Write(point.OrderId);
            writer.Write(point.Location.Lat);
            writer.Write(point.Location.Lon);
            writer.Write(point.SpeedKph);
            writer.Write((byte)point.TripStage);
            writer.Write((byte)point.TrafficDensity);
            writer.Write(point.ZoneType);
            writer.Write(Micros(point));
            writer.Write7BitEncodedInt(point.AnomalyFlags.Count);
            foreach (string flag in point.AnomalyFlags)
            {
                writer.Write(flag);
            }
        }
    }

    private static long Micros(GpsPoint point) =>
        (point.Timestamp.Seconds * 1_000_000) + (point.Timestamp.Nanos / 1000);
}
