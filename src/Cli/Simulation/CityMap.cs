using Ingest.V1;

namespace Ingest.Cli.Simulation;

/// <summary>
/// A generated city: a square grid of streets with an avenue at every fifth, and two avenues that cross the grid
/// diagonally. Crossings are nodes, numbered row by row; lengths are metres.
/// </summary>
internal sealed class CityMap
{
    /// <summary>Length of a block.</summary>
    public const double BlockMeters = 130;

    /// <summary>Degrees of latitude to metres (a sphere of 6,371 km).</summary>
    public const double MetersPerDegree = 111_195;

    private const double CentreLat = 41.39;
    private const double CentreLon = 2.16;
    private const int AvenueEvery = 5;
    private const double StreetKph = 32;
    private const double AvenueKph = 48;

    private static readonly double MetersPerDegreeLon = MetersPerDegree * Math.Cos(CentreLat * Math.PI / 180);

    private readonly string[] _zones;

    /// <param name="size">Crossings along a side.</param>
    /// <param name="random">Draws the zones.</param>
    public CityMap(int size, SimulationRandom random)
    {
        Size = size;
        _zones = new string[Nodes];
        string[] outer = ["residential", "residential", "industrial", "university", "commercial"];
        var quarters = new string[8, 8];
        for (var i = 0; i < 64; i++)
        {
            quarters[i / 8, i % 8] = outer[random.Below(outer.Length)];
        }
        for (var node = 0; node < Nodes; node++)
        {
            var fromCentre = Math.Max(Math.Abs(Column(node) - (size / 2)), Math.Abs(Row(node) - (size / 2)));
            _zones[node] = fromCentre * 6 < size
                ? "business_district"
                : quarters[Row(node) * 8 / size, Column(node) * 8 / size];
        }
    }

    /// <summary>Crossings along a side.</summary>
    public int Size { get; }

    /// <summary>Crossings.</summary>
    public int Nodes => Size * Size;

    /// <summary>The kind of zone around a crossing.</summary>
    public string ZoneOf(int node) => _zones[node];

    /// <summary>Whether a crossing lies in the centre.</summary>
    public bool IsCentral(int node) => ReferenceEquals(_zones[node], "business_district");

    /// <summary>Metres as the crow flies.</summary>
    public double Distance(int from, int to) =>
        Math.Sqrt(Square(Column(from) - Column(to)) + Square(Row(from) - Row(to))) * BlockMeters;

    /// <summary>The speed of a street where nothing is in the way, in km/h.</summary>
    public double FreeKph(int from, int to)
    {
        var isDiagonal = Column(from) != Column(to) && Row(from) != Row(to);
        var isAvenue = isDiagonal
            || (Row(from) == Row(to) && Row(from) % AvenueEvery == 0)
            || (Column(from) == Column(to) && Column(from) % AvenueEvery == 0);
        return isAvenue ? AvenueKph : StreetKph;
    }

    /// <summary>The crossings that a street leads to.</summary>
    /// <param name="node">Where the street begins.</param>
    /// <param name="neighbours">Room for 8.</param>
    /// <returns>How many there are.</returns>
    public int Neighbours(int node, Span<int> neighbours)
    {
        var column = Column(node);
        var row = Row(node);
        var count = 0;
        Add(column - 1, row, neighbours);
        Add(column + 1, row, neighbours);
        Add(column, row - 1, neighbours);
        Add(column, row + 1, neighbours);
        if (column == row)
        {
            Add(column - 1, row - 1, neighbours);
            Add(column + 1, row + 1, neighbours);
        }
        if (column + row == Size - 1)
        {
            Add(column - 1, row + 1, neighbours);
            Add(column + 1, row - 1, neighbours);
        }
        return count;

        void Add(int toColumn, int toRow, Span<int> neighbours)
        {
            if (toColumn >= 0 && toRow >= 0 && toColumn < Size && toRow < Size)
            {
                neighbours[count++] = (toRow * Size) + toColumn;
            }
        }
    }

    /// <summary>A random crossing between two distances from another one; the nearest try when there is none.</summary>
    public int RandomNear(int node, double minMeters, double maxMeters, SimulationRandom random)
    {
        const int Tries = 20;
        var reach = (int)(maxMeters / BlockMeters);
        var best = node;
        for (var i = 0; i < Tries; i++)
        {
            var column = Math.Clamp(Column(node) + random.Below((2 * reach) + 1) - reach, 0, Size - 1);
            var row = Math.Clamp(Row(node) + random.Below((2 * reach) + 1) - reach, 0, Size - 1);
            best = (row * Size) + column;
            if (Distance(node, best) >= minMeters && Distance(node, best) <= maxMeters)
            {
                break;
            }
        }
        return best;
    }

    /// <summary>Where a place between two crossings lies.</summary>
    /// <param name="from">A crossing.</param>
    /// <param name="to">Another one; the same for the crossing itself.</param>
    /// <param name="part">How far it is from one to the other, 0 to 1.</param>
    /// <param name="location">Takes the coordinates.</param>
    public void Locate(int from, int to, double part, Location location)
    {
        var east = (Column(from) + ((Column(to) - Column(from)) * part) - (Size / 2.0)) * BlockMeters;
        var north = (Row(from) + ((Row(to) - Row(from)) * part) - (Size / 2.0)) * BlockMeters;
        location.Lat = CentreLat + (north / MetersPerDegree);
        location.Lon = CentreLon + (east / MetersPerDegreeLon);
    }

    /// <summary>Where a crossing lies.</summary>
    public Location Locate(int node)
    {
        var location = new Location();
        Locate(node, node, 0, location);
        return location;
    }

    private int Column(int node) => node % Size;

    private int Row(int node) => node / Size;

    private static double Square(double value) => value * value;
}
