using Ingest.V1;

namespace Ingest.Topics.Filters;

/// <summary>A circle or a box on the earth.</summary>
internal sealed class Area
{
    /// <summary>Mean radius of the earth in metres (IUGG, R1).</summary>
    private const double EarthRadiusMeters = 6_371_008.8;

    private readonly bool _isCircle;
    private readonly double _lat;
    private readonly double _lon;
    private readonly double _cosLat;
    private readonly double _haversine;
    private readonly double _north;
    private readonly double _east;

    /// <summary>Makes a circle: all within a great-circle distance.</summary>
    public Area(Circle circle)
    {
        _isCircle = true;
        _lat = double.DegreesToRadians(circle.Center.Lat);
        _lon = double.DegreesToRadians(circle.Center.Lon);
        _cosLat = Math.Cos(_lat);

        // No distance is longer than half way round.
        double half = Math.Min(circle.RadiusMeters / (2 * EarthRadiusMeters), Math.PI / 2);
        _haversine = Math.Sin(half) * Math.Sin(half);
    }

    /// <summary>Makes a box; its west may be greater than its east, across the 180th meridian.</summary>
    public Area(Box box)
    {
        (_lat, _lon) = (box.SouthWest.Lat, box.SouthWest.Lon);
        (_north, _east) = (box.NorthEast.Lat, box.NorthEast.Lon);
    }

    /// <summary>Whether a place lies in it; its edge belongs to it.</summary>
    /// <param name="lat">Latitude in degrees.</param>
    /// <param name="lon">Longitude in degrees.</param>
    public bool Contains(double lat, double lon) => _isCircle
        ? Haversine(double.DegreesToRadians(lat), double.DegreesToRadians(lon)) <= _haversine
        : lat >= _lat && lat <= _north && (_lon <= _east ? lon >= _lon && lon <= _east : lon >= _lon || lon <= _east);

    // R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (1984): exact for small distances too.
    private double Haversine(double lat, double lon)
    {
        double north = Math.Sin((lat - _lat) / 2);
        double east = Math.Sin((lon - _lon) / 2);
        return (north * north) + (_cosLat * Math.Cos(lat) * east * east);
    }
}
