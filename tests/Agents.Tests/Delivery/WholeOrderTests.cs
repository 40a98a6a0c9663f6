using Google.Protobuf.WellKnownTypes;
using Ingest.Agents.Delivery;
using Ingest.V1;
using Xunit.Abstractions;

namespace Ingest.Agents.Tests.Delivery;

/// <summary>
/// Orders from their placing on, by the agent itself, made of what really happened: the time that a restaurant took, a
/// cab's way to a passenger, and its way with that one. The driver waits where the order is not ready.
/// </summary>
public sealed class WholeOrderTests(ITestOutputHelper output)
{
    private const int Count = 700;

    // The last ones, of which the agent has seen none.
    private const int Tested = 250;

    private static readonly TimeSpan s_pickup = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_handover = TimeSpan.FromMinutes(1);

    [SkippableFact]
    public async Task Intervals_hold_what_they_say_and_pickups_know_of_preparation()
    {
        List<Course> courses = Courses();
        await using AgentServer server = await AgentServer.StartAsync([() => new EtaAgent()]);
        await server.RunningAsync("eta");
        foreach (List<Course> batch in InTime(courses))
        {
            await RunAsync(server, batch);
        }

        Dictionary<string, Course> tested = courses.TakeLast(Tested).ToDictionary(course => course.OrderId);
        List<(EtaPrediction Said, Course Was)> all =
        [
            .. (await server.UpdatesAsync("eta-predictions")).Select(update => update.EtaPrediction)
                .Where(said => tested.ContainsKey(said.OrderId)).Select(said => (said, tested[said.OrderId])),
        ];
        List<(EtaPrediction Said, Course Was)> before = [.. all.Where(p => p.Said.PickupEta is not null)];
        Honesty ofBefore = Look("before pickup", before);
        Honesty ofAfter = Look("after pickup", [.. all.Where(p => p.Said.PickupEta is null)]);
        Pickups ofPickups = Look([.. before.Where(p => p.Said.Timestamp.ToDateTime() < p.Was.Ready)]);
        Assert.All(new[] { ofBefore, ofAfter }, honesty =>
        {
            Assert.InRange(honesty.Inside, 0.72, 0.9);
            Assert.InRange(honesty.Confidence - honesty.Right, -0.1, 0.1);
        });
        Assert.True(
            ofPickups.Error < 0.8 * ofPickups.OfWay && ofPickups.Error < 0.9 * ofPickups.OfPrior, $"{ofPickups}");
        Assert.Contains(before, p => p.Said.Factors.Any(f => f.Name == "preparation"));
    }

    private Honesty Look(string name, List<(EtaPrediction Said, Course Was)> predictions)
    {
        Assert.True(predictions.Count > 500, $"{predictions.Count} predictions are too few to say anything");
        var honesty = new Honesty(
            predictions.Average(p =>
                p.Was.Delivered >= p.Said.DeliveryEtaLow.ToDateTime()
                    && p.Was.Delivered <= p.Said.DeliveryEtaHigh.ToDateTime()
                    ? 1.0 : 0),
            predictions.Average(p => Error(p.Said.DeliveryEta, p.Was.Delivered) <= 5 ? 1.0 : 0),
            predictions.Average(p => p.Said.Confidence));
        output.WriteLine(
            $"{name}: {predictions.Count} predictions, {honesty.Inside:P1} inside, mean error "
            + $"{predictions.Average(p => Error(p.Said.DeliveryEta, p.Was.Delivered)):0.0} min, width "
            + $"{predictions.Average(p => Error(p.Said.DeliveryEtaHigh, p.Said.DeliveryEtaLow.ToDateTime())):0.0} min; "
            + $"within 5 min {honesty.Right:P1}, confidence {honesty.Confidence:P1}");
        return honesty;
    }

    // While the kitchen works: against the way alone, and against a kitchen of which nothing was learnt.
    private Pickups Look(List<(EtaPrediction Said, Course Was)> predictions)
    {
        double error = predictions.Average(p => Error(p.Said.PickupEta, p.Was.PickedUp));
        double ofWay = predictions.Average(p =>
        {
            double travel = p.Said.Factors.Where(f => f.Name == "travel_to_pickup").Sum(f => f.Minutes);
            return Math.Abs((p.Was.PickedUp - p.Said.Timestamp.ToDateTime() - s_pickup).TotalMinutes - travel);
        });
        double ofPrior = predictions.Average(p =>
        {
            DateTime ready = p.Was.Placed.AddMinutes(12) + s_pickup;
            DateTime now = p.Said.Timestamp.ToDateTime() + s_pickup;
            return Math.Abs((p.Was.PickedUp - (ready > now ? ready : now)).TotalMinutes);
        });
        output.WriteLine(
            $"pickup: {predictions.Count} predictions, mean error {error:0.0} min, by the way alone {ofWay:0.0}, "
            + $"by a preparation of 12 minutes {ofPrior:0.0}");
        return new Pickups(error, ofWay, ofPrior);
    }

    private static double Error(Timestamp said, DateTime was) => Math.Abs((said.ToDateTime() - was).TotalMinutes);

    private static List<Course> Courses()
    {
        IReadOnlyList<(string Restaurant, double Minutes)> kitchens = TripFile.Preparations();
        IReadOnlyList<(Trip ToPickup, Trip ToDropoff)> fares = TripFile.Fares();
        Assert.True(fares.Count >= Count, $"{fares.Count} ways");
        return [.. fares.Take(Count).Select((fare, i) => new Course(i, fare, kitchens[i]))];
    }

    // What lies within few hours runs side by side, as orders do: fewer steps than orders.
    private static IEnumerable<List<Course>> InTime(IEnumerable<Course> courses)
    {
        var batch = new List<Course>();
        foreach (Course course in courses)
        {
            if (batch.Count > 0 && (course.Placed - batch[0].Placed > TimeSpan.FromHours(3) || batch.Count == 20))
            {
                yield return batch;
                batch = [];
            }

            batch.Add(course);
        }

        yield return batch;
    }

    private static async Task RunAsync(AgentServer server, List<Course> batch)
    {
        long rows = server.Status("eta").Rows;
        await OrdersAsync(OrderStatus.Placed);
        await PointsAsync(course => course.Way.Where(point => point.At < course.Ready));
        await OrdersAsync(OrderStatus.Ready);
        await PointsAsync(course => course.Way.Where(point => point.At >= course.Ready && point.At <= course.PickedUp));
        await OrdersAsync(OrderStatus.PickedUp);
        await PointsAsync(course => course.Way.Where(point => point.At > course.PickedUp));
        await OrdersAsync(OrderStatus.Delivered);

        async Task OrdersAsync(OrderStatus status)
        {
            await server.SendAsync(batch.Select(course => course.Row(status)));
            await HandledAsync(batch.Count);
        }

        async Task PointsAsync(Func<Course, IEnumerable<(GeoPoint Place, DateTime At, TripStage Stage)>> part)
        {
            GpsPoint[] points =
            [
                .. batch.SelectMany(course => part(course).Select(point => (course.OrderId, point)))
                    .OrderBy(p => p.point.At).Select(p => Point(p.OrderId, p.point)),
            ];
            if (points.Length > 0)
            {
                await server.SendAsync(points);
                await HandledAsync(points.Length);
            }
        }

        async Task HandledAsync(int count)
        {
            rows += count;
            await Eventually.BeAsync(() => server.Status("eta").Rows == rows);
        }
    }

    private static GpsPoint Point(string order, (GeoPoint Place, DateTime At, TripStage Stage) point)
    {
        GpsPoint row = Rows.Point($"driver of {order}", 0, point.Place.Lat, point.Place.Lon, order);
        row.Timestamp = Timestamp.FromDateTime(point.At);
        row.TripStage = point.Stage;
        return row;
    }

    // Shares: within the interval, within 5 minutes, and what the predictions said of the latter.
    private sealed record Honesty(double Inside, double Right, double Confidence);

    // Mean errors in minutes: of the predictions, and of two that know nothing of the kitchen.
    private sealed record Pickups(double Error, double OfWay, double OfPrior);

    /// <summary>What becomes of an order.</summary>
    private sealed class Course
    {
        private readonly string _restaurant;

        public Course(int number, (Trip ToPickup, Trip ToDropoff) fare, (string Restaurant, double Minutes) kitchen)
        {
            OrderId = $"o{number}";
            _restaurant = kitchen.Restaurant;
            Placed = fare.ToPickup.Start;
            Ready = Placed.AddMinutes(kitchen.Minutes);
            DateTime arrived = Placed.AddMinutes(fare.ToPickup.Minutes);
            PickedUp = (arrived > Ready ? arrived : Ready) + s_pickup;
            Delivered = PickedUp.AddMinutes(fare.ToDropoff.Minutes) + s_handover;
            GeoPoint pickup = fare.ToPickup.Points[^1].Place;
            GeoPoint dropoff = fare.ToDropoff.Points[^1].Place;
            Way =
            [
                .. fare.ToPickup.Points.Select(p => (p.Place, Placed.AddSeconds(p.Seconds), TripStage.ToPickup)),
                .. Minutes(arrived, PickedUp).Select(at => (pickup, at, TripStage.AtPickup)),
                .. fare.ToDropoff.Points.Select(p => (p.Place, PickedUp.AddSeconds(p.Seconds), TripStage.ToDropoff)),
                (dropoff, Delivered, TripStage.AtDropoff),
            ];
        }

        public string OrderId { get; }

        public DateTime Placed { get; }

        public DateTime Ready { get; }

        public DateTime PickedUp { get; }

        public DateTime Delivered { get; }

        public IReadOnlyList<(GeoPoint Place, DateTime At, TripStage Stage)> Way { get; }

        public Order Row(OrderStatus status) => new()
        {
            OrderId = OrderId,
            RestaurantId = _restaurant,
            DriverId = $"driver of {OrderId}",
            Pickup = LocationOf(Way.Last(point => point.Stage == TripStage.AtPickup).Place),
            Dropoff = LocationOf(Way[^1].Place),
            PlacedAt = Timestamp.FromDateTime(Placed),
            ReadyAt = status == OrderStatus.Placed ? null : Timestamp.FromDateTime(Ready),
            Status = status,
        };

        private static IEnumerable<DateTime> Minutes(DateTime from, DateTime to)
        {
            for (DateTime at = from.AddMinutes(1); at < to; at = at.AddMinutes(1))
            {
                yield return at;
            }

            yield return to;
        }

        private static Location LocationOf(GeoPoint place) => new() { Lat = place.Lat, Lon = place.Lon };
    }
}
