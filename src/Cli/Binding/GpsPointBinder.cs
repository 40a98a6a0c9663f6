using System.Buffers.Text;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Cli.Binding;

/// <summary>
/// Columns into GPS points. The driver comes from the file's name when no column has it. A cab's `occupied` becomes the
/// trip stage: 1 `TO_DROPOFF`, 0 `IDLE`. Speed stays 0 when the file has none.
/// </summary>
internal sealed class GpsPointBinder(BindingOptions options) : RowBinder<GpsPoint>(Fields, options)
{
    private const int Driver = 0;
    private const int Order = 1;
    private const int Lat = 2;
    private const int Lon = 3;
    private const int Speed = 4;
    private const int Stage = 5;
    private const int Density = 6;
    private const int Zone = 7;
    private const int Time = 8;
    private const int Date = 9;
    private const int Flags = 10;
    private const int Occupied = 11;

    private static readonly RowFields Fields = new(
        new RowField(Driver, "driver_id", "driver", "courierid", "vehicleid", "taxiid", "cabid", "uid", "userid", "user"),
        new RowField(Order, "order_id", "order", "tripid"),
        new RowField(Lat, "location.lat", "lat", "latitude", "lats"),
        new RowField(Lon, "location.lon", "lon", "lng", "long", "longitude", "lngs", "locationlng"),
        new RowField(Speed, "speed_kph", "speedkmh"),
        new RowField(Stage, "trip_stage", "stage"),
        new RowField(Density, "traffic_density", "traffic"),
        new RowField(Zone, "zone_type", "zone"),
        new RowField(Time, "timestamp", "time", "datetime", "unixtime", "ts"),
        new RowField(Date, "date"),
        new RowField(Flags, "anomaly_flags", "anomalies"),
        new RowField(Occupied, "occupied"));

    private static readonly EnumDescriptor TripStageDescriptor =
        GpsPointReflection.Descriptor.FindTypeByName<EnumDescriptor>("TripStage");

    private static readonly EnumDescriptor TrafficDensityDescriptor =
        GpsPointReflection.Descriptor.FindTypeByName<EnumDescriptor>("TrafficDensity");

    private readonly GpsPoint _row = new() { Location = new Location(), Timestamp = new Timestamp() };
    private TimeValue _time;

    public override GpsPoint Row => _row;

    protected override IReadOnlyList<string> ExtraPrefixes => [];

    protected override string? DefaultExtraPrefix => null;

    /// <summary>Moves the row to another point of the same trip.</summary>
    public void MoveTo(double lat, double lon, long micros)
    {
        _row.Location.Lat = lat;
        _row.Location.Lon = lon;
        TimeValue.Store(micros, _row.Timestamp);
    }

    /// <summary>Gives the row of a trip its driver and constants, before the points are known.</summary>
    public string? CompleteTrip(long line)
    {
        // Stand-ins until MoveTo, so that what is checked is the rest.
        TrySet(Lat, "0"u8);
        TrySet(Lon, "0"u8);
        TrySet(Time, "0"u8);
        return Complete(line);
    }

    public override string? FindMissing(IReadOnlyCollection<int> fields)
    {
        if (!fields.Contains(Lat) || !fields.Contains(Lon))
        {
            return "no columns for location.lat and location.lon";
        }
        return fields.Contains(Time) || fields.Contains(Date) || HasConstant(Time) ? null : "no column for timestamp";
    }

    protected override void Clear()
    {
        _row.DriverId = "";
        _row.OrderId = "";
        _row.SpeedKph = 0;
        _row.TripStage = TripStage.Unspecified;
        _row.TrafficDensity = TrafficDensity.Unspecified;
        _row.ZoneType = "";
        _row.AnomalyFlags.Clear();
        _time = default;
    }

    protected override bool TrySetField(int field, ReadOnlySpan<byte> text)
    {
        double number;
        switch (field)
        {
            case Driver:
                _row.DriverId = ToText(text);
                return true;
            case Order:
                _row.OrderId = ToText(text);
                return true;
            case Lat:
                var isLat = FieldText.TryNumber(text, out number);
                _row.Location.Lat = number;
                return isLat;
            case Lon:
                var isLon = FieldText.TryNumber(text, out number);
                _row.Location.Lon = number;
                return isLon;
            case Speed:
                var isSpeed = text.IsEmpty | FieldText.TryNumber(text, out number);
                _row.SpeedKph = (float)number;
                return isSpeed;
            case Stage:
                var isStage = TryEnum(TripStageDescriptor, text, out var stage);
                _row.TripStage = (TripStage)stage;
                return isStage;
            case Density:
                var isDensity = TryEnum(TrafficDensityDescriptor, text, out var density);
                _row.TrafficDensity = (TrafficDensity)density;
                return isDensity;
            case Zone:
                _row.ZoneType = ToText(text);
                return true;
            case Time:
            case Date:
                return _time.TrySet(text);
            case Flags:
                AddFlags(text);
                return true;
            default:
                var isFlag = Utf8Parser.TryParse(text, out int occupied, out _) && occupied is 0 or 1;
                _row.TripStage = occupied == 1 ? TripStage.ToDropoff : TripStage.Idle;
                return isFlag;
        }
    }

    protected override bool IsMessage(string path) => path.Equals("location", StringComparison.OrdinalIgnoreCase);

    protected override string? Finish(long line)
    {
        if (!IsSet(Lat) || !IsSet(Lon))
        {
            return "location.lat or location.lon is missing";
        }
        if (_row.DriverId.Length == 0)
        {
            _row.DriverId = Options.Driver;
        }
        if (!_time.TryResolve(Options, out var micros))
        {
            return _time.IsTimeOfDay ? "timestamp has no date; --date gives one" : "timestamp is missing";
        }
        TimeValue.Store(micros, _row.Timestamp);
        return null;
    }

    /// <summary>Flags in one column are parted by `|`.</summary>
    private void AddFlags(ReadOnlySpan<byte> text)
    {
        foreach (var part in text.Split((byte)'|'))
        {
            if (!text[part].IsEmpty)
            {
                _row.AnomalyFlags.Add(ToText(text[part]));
            }
        }
    }

    /// <summary>An empty text is a value that was not given.</summary>
    private bool TryEnum(EnumDescriptor descriptor, ReadOnlySpan<byte> text, out int number)
    {
        number = 0;
        return text.IsEmpty || FieldText.TryEnum(descriptor, ToText(text), out number);
    }
}
