namespace Ingest.Agents.Delivery;

/// <summary>Distances on the earth as a sphere.</summary>
internal static class GreatCircle
{
    private const double EarthRadiusMeters = 6_371_008.8; // IUGG mean radius.

    /// <summary>Distance of two places in metres (haversine); 0.5 % of error at most.</summary>
    public static double Meters(double lat1, double lon1, double lat2, double lon2)
    {
        double dLat = Radians(lat2 - lat1) / 2;
        double dLon = Radians(lon2 - lon1) / 2;
        double sinLat = Math.Sin(dLat);
        double sinLon = Math.Sin(dLon);
        double a = (sinLat * sinLat) + (Math.Cos(Radians(lat1)) * Math.Cos(Radians(lat2)) * sinLon * sinLon);
        return 2 * EarthRadiusMeters * Math.Asin(Math.Sqrt(Math.Min(1, a)));
    }

    private static double Radians(double degrees) => degrees * (Math.PI / 180);
}
