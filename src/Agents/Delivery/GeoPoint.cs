namespace Ingest.Agents.Delivery;

/// <summary>A place, WGS84 degrees.</summary>
internal readonly record struct GeoPoint(double Lat, double Lon)
{
    /// <summary>Whether it is a place at all: an order without one has zeros.</summary>
    public bool IsKnown => Lat != 0 || Lon != 0;

    /// <summary>Distance in metres.</summary>
    public double MetersTo(GeoPoint other) => GreatCircle.Meters(Lat, Lon, other.Lat, other.Lon);

    /// <summary>The place half way.</summary>
    public GeoPoint Middle(GeoPoint other) => new((Lat + other.Lat) / 2, (Lon + other.Lon) / 2);
}
