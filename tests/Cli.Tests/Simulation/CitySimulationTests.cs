using Google.Protobuf;
using Ingest.Cli.Simulation;
using Ingest.V1;

namespace Ingest.Cli.Tests.Simulation;

public sealed class CitySimulationTests
{
    private static readonly DateTime Noon = new(2026, 3, 2, 11, 0, 0, DateTimeKind.Utc);

    private static readonly Lazy<World> Shared = new(() => World.Run(new SimulationOptions
    {
        Drivers = 60, Duration = TimeSpan.FromMinutes(90), Start = Noon, Seed = 7,
    }));

    private readonly World _world = Shared.Value;

    [Fact]
    public void The_same_seed_gives_the_same_rows_and_another_seed_others()
    {
        var options = new SimulationOptions { Drivers = 20, Duration = TimeSpan.FromMinutes(20), Start = Noon };
        var first = World.Run(options);
        Assert.Equal(first.Points, World.Run(options).Points);
        Assert.Equal(first.Orders, World.Run(options).Orders);
        Assert.Equal(first.Events, World.Run(options).Events);
        Assert.Equal(first.Metrics, World.Run(options).Metrics);
        Assert.NotEqual(first.Points, World.Run(options with { Seed = 2 }).Points);
    }

    [Fact]
    public void Every_driver_reports_once_an_interval_within_the_simulated_time()
    {
        var expected = 60 * 90 * 60 / 5;
        Assert.InRange(_world.Points.Count, expected * 97 / 100, expected);
        Assert.Equal(60, _world.Points.Select(point => point.DriverId).Distinct().Count());
        Assert.All(_world.Points, point => Assert.InRange(
            point.Timestamp.ToDateTime(), Noon, Noon + TimeSpan.FromMinutes(90)));
        var times = _world.Points.Select(point => point.Timestamp.ToDateTime()).ToList();
        Assert.Equal(times.Order(), times);
    }

    [Fact]
    public void Points_are_continuous_and_speed_times_time_is_the_way()
    {
        var path = 0.0;
        var chord = 0.0;
        foreach (var driver in _world.Points.GroupBy(point => point.DriverId))
        {
            foreach (var (before, point) in driver.Zip(driver.Skip(1)))
            {
                if (before.AnomalyFlags.Contains("gps_jump") || point.AnomalyFlags.Contains("gps_jump"))
                {
                    continue;
                }
                var seconds = (point.Timestamp - before.Timestamp).ToTimeSpan().TotalSeconds;
                var way = point.SpeedKph / 3.6 * seconds;
                var flight = Meters(before.Location, point.Location);
                // The crow flies at most as far as the streets go.
                Assert.True(flight <= way + 0.5, $"{driver.Key} at {point.Timestamp}: {flight} m in a way of {way} m");
                Assert.InRange(point.SpeedKph, 0, point.AnomalyFlags.Contains("speeding") ? 130 : 110);
                path += way;
                chord += flight;
            }
        }
        Assert.InRange(chord / path, 0.85, 1);
    }

    [Fact]
    public void Denser_traffic_is_slower()
    {
        var byDensity = _world.Points
            .Where(point => point.SpeedKph > 0 && point.AnomalyFlags.Count == 0)
            .GroupBy(point => point.TrafficDensity)
            .OrderBy(group => group.Key)
            .Where(group => group.Count() > 500)
            .Select(group => group.Average(point => point.SpeedKph))
            .ToList();
        Assert.InRange(byDensity.Count, 2, 4);
        Assert.Equal(byDensity.OrderDescending(), byDensity);
    }

    [Fact]
    public void An_order_is_placed_ready_picked_up_and_delivered_once_each_in_that_order()
    {
        OrderStatus[] life = [OrderStatus.Placed, OrderStatus.Ready, OrderStatus.PickedUp, OrderStatus.Delivered];
        OrderStatus[] cancelled = [OrderStatus.Placed, OrderStatus.Cancelled];
        var delivered = 0;
        var placedInTime = _world.Orders.GroupBy(order => order.OrderId)
            .Where(order => order.First().PlacedAt.ToDateTime() >= Noon).ToList();
        Assert.InRange(placedInTime.Count, 80, 250);
        foreach (var order in placedInTime)
        {
            var states = order.Select(row => row.Status).ToList();
            Assert.True(
                states.SequenceEqual(life.Take(states.Count)) || states.SequenceEqual(cancelled),
                $"{order.Key}: {string.Join(", ", states)}");
            Assert.Single(order.Select(row => (row.PlacedAt, row.ReadyAt, row.DueAt, row.RestaurantId)).Distinct());
            Assert.True(order.First().PlacedAt < order.First().ReadyAt && order.First().ReadyAt < order.First().DueAt);
            if (states.Count == life.Length)
            {
                delivered++;
                Assert.NotEmpty(order.Last().DriverId);
            }
        }
        Assert.InRange(delivered, placedInTime.Count / 3, placedInTime.Count);
    }

    [Fact]
    public void A_driver_with_an_order_goes_through_the_stages_from_restaurant_to_customer()
    {
        var orders = _world.Orders.Where(order => order.Status == OrderStatus.Delivered).ToDictionary(order => order.OrderId);
        var seen = 0;
        foreach (var trip in _world.Points.Where(point => point.OrderId.Length > 0).GroupBy(point => point.OrderId))
        {
            Assert.Single(trip.Select(point => point.DriverId).Distinct());
            var stages = trip.Select(point => point.TripStage).ToList();
            Assert.Equal(stages.Order(), stages);
            Assert.DoesNotContain(TripStage.Idle, stages);
            if (!orders.TryGetValue(trip.Key, out var order))
            {
                continue;
            }
            foreach (var point in trip.Where(point => !point.AnomalyFlags.Contains("gps_jump")))
            {
                if (point.TripStage is TripStage.AtPickup or TripStage.AtDropoff)
                {
                    var place = point.TripStage == TripStage.AtPickup ? order.Pickup : order.Dropoff;
                    Assert.InRange(Meters(point.Location, place), 0, 1);
                    seen++;
                }
            }
        }
        Assert.InRange(seen, 500, int.MaxValue);
        Assert.All(
            _world.Points.Where(point => point.OrderId.Length == 0),
            point => Assert.Equal(TripStage.Idle, point.TripStage));
    }

    [Fact]
    public void Clicks_and_conversions_follow_their_impressions_and_samples_count_them()
    {
        var byId = _world.Events.ToDictionary(happening => happening.EventId);
        var impressions = _world.Events.Where(happening => happening.EventType == "ad_impression").ToList();
        var clicks = _world.Events.Where(happening => happening.EventType == "ad_click").ToList();
        Assert.InRange(impressions.Count, 8_000, 20_000);
        Assert.InRange((double)clicks.Count / impressions.Count, 0.005, 0.08);
        Assert.Contains(_world.Events, happening => happening.EventType == "ad_conversion");
        foreach (var click in clicks)
        {
            var shown = byId[click.Properties.Fields["impression_id"].StringValue];
            Assert.Equal(shown.EntityId, click.EntityId);
            Assert.InRange((click.Timestamp - shown.Timestamp).ToTimeSpan().TotalSeconds, 1, 20);
        }
        // 90 samples of 12 campaigns; the last one ends with the simulation.
        Assert.Equal(90 * 12, _world.Metrics.Count);
        Assert.Equal(impressions.Count, _world.Metrics.Sum(sample => sample.Metrics["impressions"]));
        Assert.Equal(clicks.Count, _world.Metrics.Sum(sample => sample.Metrics["clicks"]));
    }

    [Fact]
    public void The_click_through_of_a_creative_wears_off()
    {
        var creative = new AdCreative("c", 0.1, 1000);
        Assert.Equal(0.1, creative.ClickRate, 6);
        creative.Shown = 1000;
        Assert.Equal(0.1 * (0.3 + (0.7 / Math.E)), creative.ClickRate, 6);
        creative.Shown = 100_000;
        Assert.Equal(0.03, creative.ClickRate, 6);
    }

    [Fact]
    public void Rows_satisfy_what_the_server_asks_of_them()
    {
        Assert.All(_world.Points, point => Assert.True(point.DriverId.Length is > 0 and <= 256
            && point.Location.Lat is > 41 and < 42 && point.Location.Lon is > 2 and < 3 && point.SpeedKph >= 0
            && point.ZoneType.Length > 0 && point.TrafficDensity != TrafficDensity.Unspecified));
        Assert.All(_world.Events, happening => Assert.True(happening.EventType.Length > 0
            && happening.EntityType.Length > 0 && happening.EntityId.Length > 0
            && happening.Timestamp.ToDateTime() <= Noon + TimeSpan.FromMinutes(90)));
        Assert.Contains(_world.Points, point => point.AnomalyFlags.Count > 0);
    }

    private static double Meters(Location from, Location to)
    {
        var north = (to.Lat - from.Lat) * CityMap.MetersPerDegree;
        var east = (to.Lon - from.Lon) * CityMap.MetersPerDegree * Math.Cos(41.39 * Math.PI / 180);
        return Math.Sqrt((north * north) + (east * east));
    }

    /// <summary>All rows of a simulation.</summary>
    private sealed class World
    {
        public List<GpsPoint> Points { get; } = [];

        public List<Order> Orders { get; } = [];

        public List<Event> Events { get; } = [];

        public List<MetricSample> Metrics { get; } = [];

        public static World Run(SimulationOptions options)
        {
            var world = new World();
            var simulation = new CitySimulation(options);
            while (simulation.Step() is { } tick)
            {
                Copy(tick.Points, world.Points);
                Copy(tick.Orders, world.Orders);
                Copy(tick.Events, world.Events);
                Copy(tick.Metrics, world.Metrics);
            }
            return world;
        }

        private static void Copy<TRow>(List<TRow> from, List<TRow> to)
            where TRow : IDeepCloneable<TRow>
        {
            foreach (var row in from)
            {
                to.Add(row.Clone());
            }
        }
    }
}
