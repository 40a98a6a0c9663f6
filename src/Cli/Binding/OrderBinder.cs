using System.Globalization;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Cli.Binding;

/// <summary>
/// Columns into orders. An order without an id is called after its file and line. Where times are times of day, one
/// that is earlier than the placement belongs to the next day.
/// </summary>
internal sealed class OrderBinder(BindingOptions options) : RowBinder<Order>(Fields, options)
{
    private const int Id = 0;
    private const int Restaurant = 1;
    private const int PickupLat = 2;
    private const int PickupLon = 3;
    private const int DropoffLat = 4;
    private const int DropoffLon = 5;
    private const int PlacedAt = 6;
    private const int ReadyAt = 7;
    private const int DueAt = 8;
    private const int Status = 9;
    private const int Driver = 10;
    private const long MicrosPerDay = 86_400_000_000;

    private static readonly RowFields Fields = new(
        new RowField(Id, "order_id", "order", "id"),
        new RowField(Restaurant, "restaurant_id", "restaurant", "storeid"),
        new RowField(PickupLat, "pickup.lat", "pickuplatitude"),
        new RowField(PickupLon, "pickup.lon", "pickuplng", "pickuplongitude"),
        new RowField(DropoffLat, "dropoff.lat", "dropofflatitude"),
        new RowField(DropoffLon, "dropoff.lon", "dropofflng", "dropofflongitude"),
        new RowField(PlacedAt, "placed_at", "placementtime", "timestamp", "createdat"),
        new RowField(ReadyAt, "ready_at", "readytime"),
        new RowField(DueAt, "due_at", "expecteddropofftime", "duetime"),
        new RowField(Status, "status", "orderstatus"),
        new RowField(Driver, "driver_id", "driver", "courierid"));

    private static readonly EnumDescriptor StatusDescriptor =
        OrderReflection.Descriptor.FindTypeByName<EnumDescriptor>("OrderStatus");

    private readonly Order _row = new() { PlacedAt = new Timestamp() };
    private readonly Location _pickup = new();
    private readonly Location _dropoff = new();
    private readonly Timestamp _readyAt = new();
    private readonly Timestamp _dueAt = new();
    private TimeValue _placed;
    private TimeValue _ready;
    private TimeValue _due;

    public override Order Row => _row;

    protected override IReadOnlyList<string> ExtraPrefixes => [];

    protected override string? DefaultExtraPrefix => null;

    public override string? FindMissing(IReadOnlyCollection<int> fields) =>
        fields.Contains(PlacedAt) || HasConstant(PlacedAt)
            ? null
            : "no column for placed_at; --map COLUMN=placed_at names it";

    protected override void Clear()
    {
        _row.OrderId = "";
        _row.RestaurantId = "";
        _row.DriverId = "";
        _row.Status = OrderStatus.Unspecified;
        _row.Pickup = null;
        _row.Dropoff = null;
        _row.ReadyAt = null;
        _row.DueAt = null;
        _placed = default;
        _ready = default;
        _due = default;
    }

    protected override bool TrySetField(int field, ReadOnlySpan<byte> text)
    {
        switch (field)
        {
            case Id:
                _row.OrderId = ToText(text);
                return true;
            case Restaurant:
                _row.RestaurantId = ToText(text);
                return true;
            case PickupLat:
            case PickupLon:
                _row.Pickup = _pickup;
                return TrySetDegrees(_pickup, field == PickupLat, text);
            case DropoffLat:
            case DropoffLon:
                _row.Dropoff = _dropoff;
                return TrySetDegrees(_dropoff, field == DropoffLat, text);
            case PlacedAt:
                return _placed.TrySet(text);
            case ReadyAt:
                return text.IsEmpty || _ready.TrySet(text);
            case DueAt:
                return text.IsEmpty || _due.TrySet(text);
            case Status:
                var number = 0;
                var isStatus = text.IsEmpty || FieldText.TryEnum(StatusDescriptor, ToText(text), out number);
                _row.Status = (OrderStatus)number;
                return isStatus;
            default:
                _row.DriverId = ToText(text);
                return true;
        }
    }

    protected override bool IsMessage(string path) => path.Equals("pickup", StringComparison.OrdinalIgnoreCase)
        || path.Equals("dropoff", StringComparison.OrdinalIgnoreCase);

    protected override string? Finish(long line)
    {
        if (_row.OrderId.Length == 0)
        {
            _row.OrderId = string.Create(CultureInfo.InvariantCulture, $"{Options.Stem}-{line}");
        }
        if (!_placed.TryResolve(Options, out var placed))
        {
            return _placed.IsTimeOfDay ? "placed_at has no date; --date gives one" : "placed_at is missing";
        }
        if ((_row.Pickup is not null && !(IsSet(PickupLat) && IsSet(PickupLon)))
            || (_row.Dropoff is not null && !(IsSet(DropoffLat) && IsSet(DropoffLon))))
        {
            return "a location has only one of lat and lon";
        }
        TimeValue.Store(placed, _row.PlacedAt);
        _row.ReadyAt = Later(_ready, placed, _readyAt);
        _row.DueAt = Later(_due, placed, _dueAt);
        return null;
    }

    private static bool TrySetDegrees(Location location, bool isLat, ReadOnlySpan<byte> text)
    {
        if (!FieldText.TryNumber(text, out var degrees))
        {
            return false;
        }
        if (isLat)
        {
            location.Lat = degrees;
        }
        else
        {
            location.Lon = degrees;
        }
        return true;
    }

    private Timestamp? Later(TimeValue time, long placed, Timestamp target)
    {
        if (!time.TryResolve(Options, out var micros))
        {
            return null;
        }
        TimeValue.Store(time.IsTimeOfDay && micros < placed ? micros + MicrosPerDay : micros, target);
        return target;
    }
}
