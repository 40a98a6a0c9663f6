using System.Text;
using Google.Protobuf.WellKnownTypes;
using Ingest.Feed;
using Ingest.V1;

namespace Ingest.Agents.Delivery;

/// <summary>
/// Predicts when orders are picked up and delivered, from orders and the GPS points of their drivers, and says how sure
/// it is. Topic <c>eta-predictions</c>, key the order.
/// </summary>
/// <remarks>
/// Goes by event time: the times of the points. A point of a driver without orders costs a look into a dictionary, and
/// while there are no orders points are not even handed over. Bounded by <see cref="MaxOrders"/>; orders of which
/// nothing is heard for <see cref="MaxSilence"/> are forgotten.
/// </remarks>
public sealed partial class EtaAgent : Agent
{
    private const string Topic = "eta-predictions";
    private const string Orders = "orders";
    private const string Points = "gps_points";
    private const int MaxOrders = 200_000;
    private const int MaxFinished = 20_000;

    private static readonly TimeSpan MaxSilence = TimeSpan.FromHours(6);

    private readonly AgentSetting<double> _roadFactor;
    private readonly AgentSetting<double> _priorKph;
    private readonly AgentSetting<double> _priorPreparation;
    private readonly AgentSetting<double> _pickupMinutes;
    private readonly AgentSetting<double> _handoverMinutes;
    private readonly AgentSetting<double> _minInterval;
    private readonly AgentSetting<double> _minChange;
    private readonly EtaModel _model = new();
    private readonly Dictionary<string, TrackedOrder> _orders = new(Utf8Names.Instance);
    private readonly Dictionary<string, TrackedDriver> _drivers = new(Utf8Names.Instance);
    private readonly HashSet<string> _finished = new(StringComparer.Ordinal);
    private readonly Queue<string> _finishedInOrder = new();
    private readonly List<(int Index, EtaPrediction Prediction)> _due = [];
    private long _latest;
    private int _active;

    /// <summary>Makes one.</summary>
    public EtaAgent()
    {
        Reads(Orders);
        Reads(Points, "driver_id", conflates: true);
        OnTask("eta", AnswerAsync);
        Every(TimeSpan.FromMinutes(1), SweepAsync);
        _roadFactor = Number("road_factor", 1.35, "way on roads over way as the crow flies", 1, 5);
        _priorKph = Number("prior_speed_kph", 18, "speed where none has been observed, km/h", 1, 120);
        _priorPreparation = Number("prior_preparation_minutes", 12, "preparation while none has been observed", 0, 180);
        _pickupMinutes = Number("pickup_minutes", 2, "minutes to take an order at the restaurant", 0, 60);
        _handoverMinutes = Number("handover_minutes", 1, "minutes to give it to the customer", 0, 60);
        _minInterval = Number(
            "min_interval_seconds", 5, "an order's predictions are so far apart, unless its stage changes", 0, 3600);
        _minChange = Number("min_change_seconds", 30, "a prediction that moved by less is not emitted", 0, 3600);
    }

    /// <inheritdoc/>
    public override string Name => "eta";

    /// <inheritdoc/>
    public override int StateVersion => 1;

    /// <inheritdoc/>
    public override long ActiveSessions => Volatile.Read(ref _active);

    /// <inheritdoc/>
    protected internal override ValueTask InitializeAsync(CancellationToken cancellationToken) =>
        OnConfigurationChangedAsync();

    /// <inheritdoc/>
    protected internal override ValueTask OnConfigurationChangedAsync()
    {
        _model.RoadFactor = _roadFactor.Value;
        _model.Speeds.PriorKph = _priorKph.Value;
        _model.Preparation.PriorMinutes = _priorPreparation.Value;
        _model.PickupMinutes = _pickupMinutes.Value;
        _model.HandoverMinutes = _handoverMinutes.Value;
        return default;
    }

    /// <inheritdoc/>
    protected internal override ValueTask StartAsync(CancellationToken cancellationToken)
    {
        CountOrders();
        return default;
    }

    /// <inheritdoc/>
    protected internal override async ValueTask OnRowsAsync(AgentRows rows)
    {
        _due.Clear();
        if (rows.Table == Orders)
        {
            TakeOrders(rows);
        }
        else
        {
            TakePoints(rows);
        }

        CountOrders();
        foreach ((int index, EtaPrediction prediction) in _due)
        {
            await EmitAsync(Topic, prediction.OrderId, prediction, rows, index);
        }
    }

    private void TakePoints(AgentRows rows)
    {
        CommittedBlock block = rows.Block;
        BlockTexts drivers = block.Texts("driver_id");
        BlockTexts orders = block.Texts("order_id");
        BlockTexts stages = block.Texts("trip_stage");
        ReadOnlySpan<double> lats = block.Numbers<double>("location_lat");
        ReadOnlySpan<double> lons = block.Numbers<double>("location_lon");
        ReadOnlySpan<long> times = block.Numbers<long>("timestamp");
        Dictionary<string, TrackedDriver>.AlternateLookup<ReadOnlySpan<byte>> known =
            _drivers.GetAlternateLookup<ReadOnlySpan<byte>>();
        Dictionary<string, TrackedOrder>.AlternateLookup<ReadOnlySpan<byte>> ordersById =
            _orders.GetAlternateLookup<ReadOnlySpan<byte>>();
        for (int i = 0; i < rows.Count; i++)
        {
            int row = rows[i];
            if (!known.TryGetValue(drivers[row], out TrackedDriver? driver))
            {
                // A point can name an order whose row names no driver.
                if (orders[row].IsEmpty || !ordersById.TryGetValue(orders[row], out TrackedOrder? named)
                    || named.DriverId.Length > 0)
                {
                    continue;
                }

                driver = Assign(named, drivers.String(row));
            }

            if (times[row] > driver!.At)
            {
                TakePoint(driver, new GeoPoint(lats[row], lons[row]), times[row], stages[row], orders[row], i);
            }
        }
    }

    private void TakePoint(
        TrackedDriver driver, GeoPoint place, long at, ReadOnlySpan<byte> stage, ReadOnlySpan<byte> orderId, int index)
    {
        const double microsAnHour = 3_600_000_000;
        double hours = (at - driver.At) / microsAnHour;
        bool isMoving = stage.StartsWith("TO_"u8);
        if (driver.Place.IsKnown && isMoving && hours is > 1 / 3600.0 and < 5 / 60.0)
        {
            _model.Speeds.Learn(driver.Place, place, at, hours);
        }

        (driver.Place, driver.At) = (place, at);
        _latest = Math.Max(_latest, at);
        foreach (TrackedOrder order in driver.Orders)
        {
            bool isThis = driver.Orders.Count == 1 || Encoding.UTF8.GetByteCount(order.OrderId) == orderId.Length
                && Utf8Names.Instance.Equals(orderId, order.OrderId);
            if (isThis && stage.EndsWith("_DROPOFF"u8) && order.Stage != EtaStage.ToDropoff)
            {
                order.Stage = EtaStage.ToDropoff;
            }

            order.UpdatedAt = at;
            Predict(order, place, at, index);
        }
    }

    // Emits when the prediction has changed by something that matters, and not more often than people want to hear.
    private void Predict(TrackedOrder order, GeoPoint driver, long now, int index)
    {
        const double second = 1_000_000;
        bool isNews = order.EmittedAt == 0 || order.Stage != order.EmittedStage;
        if (!isNews && now - order.EmittedAt < _minInterval.Value * second)
        {
            return;
        }

        EtaEstimate estimate = _model.Estimate(order, driver, now);
        EtaModel.Remember(order, estimate);
        long delivery = now + (long)(estimate.DeliveryMinutes * 60 * second);
        long pickup = order.Stage == EtaStage.ToDropoff ? 0 : now + (long)(estimate.PickupMinutes * 60 * second);
        double change = Math.Max(
            Math.Abs(delivery - order.EmittedDelivery),
            pickup == 0 ? 0 : Math.Abs(pickup - order.EmittedPickup));
        if (!isNews && change < _minChange.Value * second)
        {
            return;
        }

        (order.EmittedAt, order.EmittedStage) = (now, order.Stage);
        (order.EmittedDelivery, order.EmittedPickup) = (delivery, pickup);
        _due.Add((index, EtaPredictions.Of(order, estimate)));
    }

    private TrackedDriver Assign(TrackedOrder order, string driverId)
    {
        Release(order);
        order.DriverId = driverId;
        if (!_drivers.TryGetValue(driverId, out TrackedDriver? driver))
        {
            _drivers.Add(driverId, driver = new TrackedDriver { DriverId = driverId });
        }

        driver.Orders.Add(order);
        if (order.Stage == EtaStage.Waiting)
        {
            order.Stage = EtaStage.ToPickup;
        }

        return driver;
    }

    private void Release(TrackedOrder order)
    {
        if (order.DriverId.Length > 0 && _drivers.TryGetValue(order.DriverId, out TrackedDriver? driver)
            && driver.Orders.Remove(order) && driver.Orders.Count == 0)
        {
            _drivers.Remove(order.DriverId);
        }
    }

    private void Remove(TrackedOrder order)
    {
        Release(order);
        _orders.Remove(order.OrderId);
        if (_finished.Add(order.OrderId))
        {
            _finishedInOrder.Enqueue(order.OrderId);
        }

        if (_finishedInOrder.Count > MaxFinished)
        {
            _finished.Remove(_finishedInOrder.Dequeue());
        }
    }

    private ValueTask SweepAsync()
    {
        long oldest = _latest - (MaxSilence.Ticks / TimeSpan.TicksPerMicrosecond);
        foreach (TrackedOrder order in _orders.Values.Where(order => order.UpdatedAt < oldest).ToArray())
        {
            Remove(order);
        }

        CountOrders();
        return default;
    }

    // Points are of use for orders alone, and there may be millions a second.
    private void CountOrders()
    {
        bool wasIdle = _active == 0;
        Volatile.Write(ref _active, _orders.Count);
        if (wasIdle || _active == 0)
        {
            SetWanted(Points, _active > 0);
        }
    }

    private ValueTask<Struct> AnswerAsync(AgentRequest request, CancellationToken cancellationToken)
    {
        if (!request.Parameters.Fields.TryGetValue("order_id", out Value? id) || id.StringValue.Length == 0)
        {
            throw new AgentException(AgentFault.Invalid, "the parameter order_id is missing");
        }

        if (!_orders.TryGetValue(id.StringValue, out TrackedOrder? order))
        {
            throw new AgentException(AgentFault.NotFound, $"no order {id.StringValue} is under way");
        }

        GeoPoint place = _drivers.TryGetValue(order.DriverId, out TrackedDriver? driver) ? driver.Place : default;
        EtaEstimate estimate = _model.Estimate(order, place, Math.Max(order.UpdatedAt, driver?.At ?? 0));
        return ValueTask.FromResult(EtaPredictions.Describe(EtaPredictions.Of(order, estimate)));
    }
}
