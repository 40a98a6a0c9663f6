using System.Text;
using Ingest.V1;

namespace Ingest.Micro;

/// <summary>
/// The rules of GpsPoint's options, written by hand for objects, as one would without a schema that has them.
/// </summary>
internal static class PointRules
{
    private const int MaxIdBytes = 256;
    private const long NotBefore = 946684800;
    private const long AtMostAhead = 86400;

    /// <summary>The field whose rule a point breaks; null for a good point.</summary>
    public static string? Broken(GpsPoint point, long nowSeconds)
    {
        if (point.DriverId.Length == 0 || IsTooLong(point.DriverId))
        {
            return "driver_id";
        }

        if (IsTooLong(point.OrderId))
        {
            return "order_id";
        }

        if (point.Location is not { } location)
        {
            return "location";
        }

        if (!(location.Lat is >= -90 and <= 90))
        {
            return "location.lat";
        }

        if (!(location.Lon is >= -180 and <= 180))
        {
            return "location.lon";
        }

        if (!(point.SpeedKph >= 0) || float.IsInfinity(point.SpeedKph))
        {
            return "speed_kph";
        }

        return point.Timestamp is { Nanos: >= 0 and < 1_000_000_000 } time
            && time.Seconds >= NotBefore && time.Seconds <= nowSeconds + AtMostAhead ? null : "timestamp";
    }

    private static bool IsTooLong(string id) =>
        id.Length * 3 > MaxIdBytes && Encoding.UTF8.GetByteCount(id) > MaxIdBytes;
}
