using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Cli.Simulation;

/// <summary>
/// A driver on the streets. The speed of a point is the way since the last point by the time since then, so points,
/// times and speeds agree; a jump of the receiver moves the point and not the driver.
/// </summary>
internal sealed class SimulatedDriver
{
    private const double RedLightChance = 0.12;
    private const double AnomalyChance = 1.0 / 3000;

    private readonly CityMap _map;
    private readonly TrafficModel _traffic;
    private readonly RouteFinder _routes;
    private readonly SimulationRandom _random;
    private readonly List<int> _route = [];
    private readonly double _temper;
    private readonly GpsPoint _point;
    private int _leg;
    private double _metersOnLeg;
    private double _haste = 1;
    private double _waitSeconds;
    private double _metersSincePoint;
    private DateTime _lastPoint;
    private DriverAnomaly _anomaly;
    private int _anomalyPoints;
    private bool _signalWasLost;

    public SimulatedDriver(
        string id, int node, DateTime start, CityMap map, TrafficModel traffic, RouteFinder routes,
        SimulationRandom random)
    {
        Id = id;
        Time = start;
        _lastPoint = start;
        _map = map;
        _traffic = traffic;
        _routes = routes;
        _random = random;
        _temper = random.Between(0.85, 1.1);
        _route.Add(node);
        _waitSeconds = random.Between(0, 120);
        _point = new GpsPoint { DriverId = id, Location = new Location(), Timestamp = new Timestamp() };
    }

    public string Id { get; }

    /// <summary>The driver's own time: drivers do not report in step.</summary>
    public DateTime Time { get; private set; }

    public TripStage Stage { get; private set; } = TripStage.Idle;

    /// <summary>The order that the driver works on; null for none.</summary>
    public SimulatedOrder? Order { get; private set; }

    /// <summary>The next crossing, or the one that the driver is at.</summary>
    public int Node => _leg < _route.Count - 1 ? _route[_leg + 1] : _route[_leg];

    /// <summary>Takes an order: the street is driven to its end, then the way leads to the restaurant.</summary>
    public void Assign(SimulatedOrder order)
    {
        Order = order;
        order.DriverId = Id;
        Stage = TripStage.ToPickup;
        _waitSeconds = 0;
        GoTo(order.Pickup);
    }

    /// <summary>Lives on for a while; orders that change are written into a list.</summary>
    public void Advance(TimeSpan time, List<SimulatedOrder> changed)
    {
        var seconds = time.TotalSeconds;
        var end = Time + time;
        while (seconds > 0)
        {
            var used = _waitSeconds > 0
                ? Math.Min(_waitSeconds, seconds)
                : _leg < _route.Count - 1 && _anomaly != DriverAnomaly.LongStop
                    ? Drive(seconds)
                    : _anomaly == DriverAnomaly.LongStop ? seconds : 0;
            _waitSeconds = Math.Max(0, _waitSeconds - used);
            Time += TimeSpan.FromSeconds(used);
            seconds -= used;
            if (_waitSeconds <= 0 && _leg >= _route.Count - 1 && _anomaly != DriverAnomaly.LongStop)
            {
                Decide(changed);
            }
        }
        // Parts of seconds were rounded on the way.
        Time = end;
    }

    /// <summary>The point of now; null while the signal is lost.</summary>
    public GpsPoint? Report()
    {
        NextAnomaly();
        if (_anomaly == DriverAnomaly.SignalLoss)
        {
            return null;
        }
        var from = _route[_leg];
        var to = Node;
        _map.Locate(from, to, from == to ? 0 : _metersOnLeg / _map.Distance(from, to), _point.Location);
        var seconds = (Time - _lastPoint).TotalSeconds;
        _point.SpeedKph = seconds > 0 ? (float)(_metersSincePoint / seconds * 3.6) : 0;
        _point.OrderId = Order?.Id ?? "";
        _point.TripStage = Stage;
        _point.TrafficDensity = _traffic.DensityAt(from, Time);
        _point.ZoneType = _map.ZoneOf(from);
        Binding.TimeValue.Store((Time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond, _point.Timestamp);
        Flag();
        _metersSincePoint = 0;
        _lastPoint = Time;
        return _point;
    }

    /// <summary>Drives along the present street; returns the seconds that it took.</summary>
    private double Drive(double seconds)
    {
        var from = _route[_leg];
        var to = _route[_leg + 1];
        var density = _traffic.DensityAt(from, Time);
        var kph = _map.FreeKph(from, to) * _temper * _haste
            * (_anomaly == DriverAnomaly.Speeding ? 2.2 : TrafficModel.SpeedFactor(density));
        var left = _map.Distance(from, to) - _metersOnLeg;
        var meters = Math.Min(left, kph / 3.6 * seconds);
        _metersSincePoint += meters;
        if (meters < left)
        {
            _metersOnLeg += meters;
            return seconds;
        }
        _leg++;
        _metersOnLeg = 0;
        _haste = _random.Between(0.85, 1.1);
        if (_leg < _route.Count - 1 && _anomaly != DriverAnomaly.Speeding && _random.Chance(RedLightChance))
        {
            _waitSeconds = _random.Between(3, 25);
        }
        return meters * 3.6 / kph;
    }

    /// <summary>What comes next at the end of a way or of a wait.</summary>
    private void Decide(List<SimulatedOrder> changed)
    {
        switch (Stage)
        {
            case TripStage.ToPickup:
                Stage = TripStage.AtPickup;
                var untilReady = Math.Max(0, (Order!.ReadyAt - Time).TotalSeconds);
                _waitSeconds = untilReady + _random.Between(20, 90);
                break;
            case TripStage.AtPickup:
                Stage = TripStage.ToDropoff;
                Order!.Status = OrderStatus.PickedUp;
                changed.Add(Order);
                GoTo(Order.Dropoff);
                break;
            case TripStage.ToDropoff:
                Stage = TripStage.AtDropoff;
                _waitSeconds = _random.Between(40, 150);
                break;
            case TripStage.AtDropoff:
                Stage = TripStage.Idle;
                Order!.Status = OrderStatus.Delivered;
                changed.Add(Order);
                Order = null;
                _waitSeconds = _random.Between(20, 120);
                break;
            default:
                // Without an order: a wait, then on to where there may be one.
                GoTo(_map.RandomNear(Node, 200, 900, _random));
                _waitSeconds = _random.Between(30, 240);
                break;
        }
    }

    private void GoTo(int node)
    {
        if (_metersOnLeg > 0)
        {
            var from = _route[_leg];
            var next = _route[_leg + 1];
            _routes.Find(next, node, _route);
            _route.Insert(0, from);
        }
        else
        {
            _routes.Find(_route[_leg], node, _route);
        }
        _leg = 0;
    }

    private void NextAnomaly()
    {
        if (_anomalyPoints > 0 && --_anomalyPoints == 0)
        {
            _signalWasLost = _anomaly == DriverAnomaly.SignalLoss;
            _anomaly = DriverAnomaly.None;
        }
        if (_anomaly == DriverAnomaly.None && _leg < _route.Count - 1 && _random.Chance(AnomalyChance))
        {
            _anomaly = (DriverAnomaly)(1 + _random.Below(4));
            _anomalyPoints = _anomaly switch
            {
                DriverAnomaly.GpsJump => 1,
                DriverAnomaly.SignalLoss => 4 + _random.Below(12),
                DriverAnomaly.LongStop => 24 + _random.Below(48),
                _ => 6 + _random.Below(12),
            };
        }
    }

    private void Flag()
    {
        _point.AnomalyFlags.Clear();
        if (_signalWasLost)
        {
            _signalWasLost = false;
            _point.AnomalyFlags.Add("signal_loss");
        }
        switch (_anomaly)
        {
            case DriverAnomaly.GpsJump:
                _point.AnomalyFlags.Add("gps_jump");
                _point.Location.Lat += _random.Between(0.005, 0.02) * (_random.Chance(0.5) ? 1 : -1);
                _point.Location.Lon += _random.Between(0.005, 0.02) * (_random.Chance(0.5) ? 1 : -1);
                break;
            case DriverAnomaly.LongStop:
                _point.AnomalyFlags.Add("long_stop");
                break;
            case DriverAnomaly.Speeding:
                _point.AnomalyFlags.Add("speeding");
                break;
        }
    }
}
