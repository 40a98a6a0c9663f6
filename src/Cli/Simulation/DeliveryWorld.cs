using System.Globalization;
using Ingest.V1;

namespace Ingest.Cli.Simulation;

/// <summary>
/// Restaurants, orders and drivers. Orders are placed by a Poisson process whose rate follows the hour; each goes to the
/// nearest driver without one, some minutes before it is ready.
/// </summary>
internal sealed class DeliveryWorld
{
    private const double OrdersPerDriverHour = 1.7;
    private const double CancelledShare = 0.02;
    private static readonly TimeSpan AssignBeforeReady = TimeSpan.FromMinutes(6);

    private readonly CityMap _map;
    private readonly SimulationRandom _random;
    private readonly string _run;
    private readonly (string Id, int Node)[] _restaurants;
    private readonly SimulatedDriver[] _drivers;
    private readonly List<SimulatedOrder> _placed = [];
    private readonly List<SimulatedOrder> _changed = [];
    private int _orderCount;

    /// <param name="options">How many drivers, and when.</param>
    /// <param name="start">When the world begins.</param>
    /// <param name="run">Makes order ids of one run differ from those of another.</param>
    /// <param name="random">All chance in it.</param>
    public DeliveryWorld(SimulationOptions options, DateTime start, string run, SimulationRandom random)
    {
        _random = random;
        _run = run;
        _map = new CityMap(Math.Clamp((int)Math.Sqrt(options.Drivers) * 2, 20, 100), random);
        var traffic = new TrafficModel(_map, random);
        var routes = new RouteFinder(_map);
        _restaurants = new (string, int)[Math.Max(5, options.Drivers / 4)];
        for (var i = 0; i < _restaurants.Length; i++)
        {
            _restaurants[i] = (string.Create(CultureInfo.InvariantCulture, $"restaurant-{i + 1:D4}"), PlaceRestaurant());
        }
        _drivers = new SimulatedDriver[options.Drivers];
        for (var i = 0; i < _drivers.Length; i++)
        {
            // Spread over the interval, the last one latest, so that points come in the order of their times.
            var behind = options.Interval * ((double)(_drivers.Length - 1 - i) / _drivers.Length);
            _drivers[i] = new SimulatedDriver(
                string.Create(CultureInfo.InvariantCulture, $"driver-{i + 1:D4}"),
                random.Below(_map.Nodes), start - behind, _map, traffic, routes, random.Split());
        }
    }

    /// <summary>Lives on for a step, and adds its rows.</summary>
    public void Step(TimeSpan step, SimulationTick tick)
    {
        PlaceOrders(step, tick);
        foreach (var driver in _drivers)
        {
            driver.Advance(step, _changed);
            if (driver.Report() is { } point)
            {
                tick.Points.Add(point);
            }
        }
        foreach (var order in _changed)
        {
            tick.Orders.Add(order.ToRow(_map));
        }
        _changed.Clear();
        ProgressOrders(tick);
    }

    private int PlaceRestaurant()
    {
        // Twice as likely in the centre and where people shop.
        var node = _random.Below(_map.Nodes);
        return _map.IsCentral(node) || _map.ZoneOf(node) == "commercial" ? node : _random.Below(_map.Nodes);
    }

    private void PlaceOrders(TimeSpan step, SimulationTick tick)
    {
        var count = _random.Poisson(
            _drivers.Length * OrdersPerDriverHour * step.TotalHours * CityClock.Orders(tick.Time));
        for (var i = 0; i < count; i++)
        {
            var (restaurant, node) = _restaurants[_random.Below(_restaurants.Length)];
            var placedAt = tick.Time - (step * _random.Unit());
            var readyAt = placedAt + TimeSpan.FromMinutes(5 + (_random.Unit() * 8) + (_random.Unit() * 7));
            var isCancelled = _random.Chance(CancelledShare);
            var order = new SimulatedOrder
            {
                Id = string.Create(CultureInfo.InvariantCulture, $"order-{_run}-{++_orderCount:D6}"),
                RestaurantId = restaurant,
                Pickup = node,
                Dropoff = _map.RandomNear(node, 400, 2800, _random),
                PlacedAt = Truncate(placedAt),
                ReadyAt = Truncate(readyAt),
                DueAt = Truncate(readyAt + TimeSpan.FromMinutes(_random.Between(18, 28))),
                CancelledAt = isCancelled ? placedAt + ((readyAt - AssignBeforeReady - placedAt) * 0.5) : null,
            };
            _placed.Add(order);
            tick.Orders.Add(order.ToRow(_map));
        }
    }

    /// <summary>Orders that wait: cancelled, given to a driver, ready.</summary>
    private void ProgressOrders(SimulationTick tick)
    {
        for (var i = 0; i < _placed.Count; i++)
        {
            var order = _placed[i];
            if (order.DriverId.Length == 0 && order.CancelledAt <= tick.Time)
            {
                order.Status = OrderStatus.Cancelled;
                tick.Orders.Add(order.ToRow(_map));
            }
            else if (order.DriverId.Length == 0 && order.CancelledAt is null
                && tick.Time >= order.ReadyAt - AssignBeforeReady)
            {
                FindNearestIdle(order.Pickup)?.Assign(order);
            }
            if (order.Status == OrderStatus.Placed && order.ReadyAt <= tick.Time && order.CancelledAt is null)
            {
                order.Status = OrderStatus.Ready;
                tick.Orders.Add(order.ToRow(_map));
            }
        }
        // From here on the driver carries the order.
        _placed.RemoveAll(static order => order.Status == OrderStatus.Cancelled
            || (order.Status != OrderStatus.Placed && order.DriverId.Length > 0));
    }

    private SimulatedDriver? FindNearestIdle(int node)
    {
        SimulatedDriver? nearest = null;
        var distance = double.MaxValue;
        foreach (var driver in _drivers)
        {
            if (driver.Order is null && _map.Distance(driver.Node, node) < distance)
            {
                nearest = driver;
                distance = _map.Distance(driver.Node, node);
            }
        }
        return nearest;
    }

    private static DateTime Truncate(DateTime time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerMillisecond), DateTimeKind.Utc);
}
