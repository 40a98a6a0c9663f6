using System.Runtime.InteropServices;

namespace Ingest.Agents.Delivery;

/// <summary>
/// Speeds by zone and hour of the day, learnt from points of drivers on their way, standing time included.
/// </summary>
/// <remarks>
/// A mean of distance over time at each of three levels (zone and hour, zone, everywhere at that hour), each shrunk to
/// the level above by <see cref="PriorHours"/> of driving: with little data it says what the level above says (the
/// partial pooling of Efron and Morris, 1975). What is older weighs less: at <see cref="MaxHours"/> of driving a cell
/// is halved. A stretch is cut off at <see cref="MaxKph"/>, so that a jump of a position does not teach anything.
/// </remarks>
internal sealed class SpeedTable(double zoneDegrees)
{
    /// <summary>Driving that weighs as much as what the level above says.</summary>
    public const double PriorHours = 0.25;

    private const double MaxHours = 20;
    private const double MaxKph = 110;
    private const int MaxCells = 200_000;
    private const int HoursADay = 24;

    private readonly Dictionary<Cell, Sum> _cells = [];

    /// <summary>Side of a zone in degrees.</summary>
    public double ZoneDegrees => zoneDegrees;

    /// <summary>Kilometres an hour that are expected where nothing is known.</summary>
    public double PriorKph { get; set; } = 18;

    /// <summary>Cells that something is known of.</summary>
    public int Count => _cells.Count;

    internal IReadOnlyDictionary<Cell, Sum> Cells => _cells;

    /// <summary>Learns from a stretch of way.</summary>
    /// <param name="from">Where it began.</param>
    /// <param name="to">Where it ended.</param>
    /// <param name="endMicros">When, Unix microseconds.</param>
    /// <param name="hours">How long it took.</param>
    public void Learn(GeoPoint from, GeoPoint to, long endMicros, double hours)
    {
        double km = Math.Min(from.MetersTo(to) / 1000, MaxKph * hours);
        int hour = HourOf(endMicros);
        Cell zone = ZoneOf(from.Middle(to));
        Add(zone with { Hour = hour }, km, hours);
        Add(zone with { Hour = Cell.AnyHour }, km, hours);
        Add(new Cell(Cell.Anywhere, Cell.Anywhere, hour), km, hours);
        Add(new Cell(Cell.Anywhere, Cell.Anywhere, Cell.AnyHour), km, hours);
    }

    /// <summary>Speed that is to be expected from one place to another, along the straight line.</summary>
    /// <param name="from">Where the way begins.</param>
    /// <param name="to">Where it ends.</param>
    /// <param name="micros">When, Unix microseconds.</param>
    /// <param name="learntHours">Driving that the answer rests on.</param>
    public double Kph(GeoPoint from, GeoPoint to, long micros, out double learntHours)
    {
        // Slowness adds up along a way, speed does not.
        double slowness = (1 / KphAt(from, micros, out double first))
            + (1 / KphAt(from.Middle(to), micros, out double middle))
            + (1 / KphAt(to, micros, out double last));
        learntHours = first + middle + last;
        return 3 / slowness;
    }

    internal void Restore(Cell cell, Sum sum) => _cells[cell] = sum;

    private double KphAt(GeoPoint place, long micros, out double hours)
    {
        int hour = HourOf(micros);
        Cell zone = ZoneOf(place);
        double everywhere = Shrunk(new Cell(Cell.Anywhere, Cell.Anywhere, Cell.AnyHour), PriorKph, out _);
        double atHour = Shrunk(new Cell(Cell.Anywhere, Cell.Anywhere, hour), everywhere, out _);
        double inZone = Shrunk(zone with { Hour = Cell.AnyHour }, atHour, out hours);
        return Shrunk(zone with { Hour = hour }, inZone, out _);
    }

    private double Shrunk(Cell cell, double above, out double hours)
    {
        Sum sum = _cells.GetValueOrDefault(cell);
        hours = sum.Hours;
        return Math.Max(1, (sum.Km + (above * PriorHours)) / (sum.Hours + PriorHours));
    }

    private void Add(Cell cell, double km, double hours)
    {
        if (_cells.Count >= MaxCells && !_cells.ContainsKey(cell))
        {
            return;
        }

        ref Sum sum = ref CollectionsMarshal.GetValueRefOrAddDefault(_cells, cell, out _);
        sum = new Sum(sum.Km + km, sum.Hours + hours);
        if (sum.Hours > MaxHours)
        {
            sum = new Sum(sum.Km / 2, sum.Hours / 2);
        }
    }

    private Cell ZoneOf(GeoPoint place) => new(
        (int)Math.Floor(place.Lat / zoneDegrees), (int)Math.Floor(place.Lon / zoneDegrees), Cell.AnyHour);

    private static int HourOf(long micros) =>
        (int)((((micros / 3_600_000_000L) % HoursADay) + HoursADay) % HoursADay);

    /// <summary>A zone and an hour of the day, UTC.</summary>
    internal readonly record struct Cell(int Lat, int Lon, int Hour)
    {
        public const int Anywhere = int.MinValue;
        public const int AnyHour = -1;
    }

    /// <summary>Way and time of what was learnt.</summary>
    internal readonly record struct Sum(double Km, double Hours);
}
