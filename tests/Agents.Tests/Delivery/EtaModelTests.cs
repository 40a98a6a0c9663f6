using Ingest.Agents.Delivery;

namespace Ingest.Agents.Tests.Delivery;

/// <summary>The parts of a prediction.</summary>
public sealed class EtaModelTests
{
    private const long Minute = 60_000_000;
    private const long Now = 1_770_000_000_000_000;

    private static readonly GeoPoint s_pickup = new(-23.55, -46.63);
    private static readonly GeoPoint s_dropoff = new(-23.58, -46.66);

    [Theory]
    [InlineData(48.8566, 2.3522, 51.5074, -0.1278, 343_556)]
    [InlineData(0, 0, 0, 180, 20_015_114)]
    [InlineData(-23.55, -46.63, -23.55, -46.63, 0)]
    public void Distances_are_those_of_the_sphere(double lat1, double lon1, double lat2, double lon2, double meters) =>
        Assert.Equal(meters, GreatCircle.Meters(lat1, lon1, lat2, lon2), 100.0);

    [Fact]
    public void Factors_add_up_to_the_delivery()
    {
        var model = new EtaModel();
        EtaEstimate estimate = model.Estimate(Order(ready: 20), new GeoPoint(-23.54, -46.62), Now);
        Assert.Equal(
            estimate.DeliveryMinutes,
            estimate.TravelToPickup + estimate.Waiting + estimate.Handovers + estimate.TravelToDropoff
                + estimate.Correction,
            6);
        Assert.Equal(20 + model.PickupMinutes, estimate.TravelToPickup + estimate.Waiting + model.PickupMinutes, 6);
        Assert.True(estimate.LowMinutes < estimate.DeliveryMinutes && estimate.DeliveryMinutes < estimate.HighMinutes);
        Assert.InRange(estimate.Confidence, 0.01, 0.99);
        Assert.False(estimate.IsLearnt);
    }

    [Fact]
    public void A_driver_who_is_late_and_an_order_that_is_late_are_waited_for_side_by_side()
    {
        var model = new EtaModel();
        var far = new GeoPoint(-23.45, -46.53);
        EtaEstimate lateDriver = model.Estimate(Order(ready: 1), far, Now);
        Assert.Equal(0, lateDriver.Waiting);
        EtaEstimate lateOrder = model.Estimate(Order(ready: 120), far, Now);
        Assert.Equal(120, lateOrder.TravelToPickup + lateOrder.Waiting, 6);
    }

    [Fact]
    public void Speeds_are_learnt_by_zone_and_hour_and_jumps_teach_little()
    {
        var speeds = new SpeedTable(0.02) { PriorKph = 18 };
        var place = new GeoPoint(0.01, 0.01);
        var next = new GeoPoint(0.01, 0.0128); // 311 m, in a minute 18.7 km/h.
        Assert.Equal(18, speeds.Kph(place, next, Now, out double nothing), 3);
        Assert.Equal(0, nothing);
        for (int i = 0; i < 600; i++)
        {
            speeds.Learn(place, next, Now, 1 / 180.0); // In 20 s: 56 km/h.
        }

        double learnt = speeds.Kph(place, next, Now, out double hours);
        Assert.InRange(learnt, 50, 57);
        Assert.True(hours > 3);
        double elsewhere = speeds.Kph(new GeoPoint(5, 5), new GeoPoint(5, 5.001), Now, out _);
        Assert.InRange(elsewhere, 45, 57); // What is known of everywhere.
        speeds.Learn(place, new GeoPoint(40, 40), Now, 1 / 180.0);
        Assert.InRange(speeds.Kph(place, next, Now, out _), learnt, learnt + 3);
    }

    [Fact]
    public void Residuals_move_predictions_to_what_really_happens()
    {
        var model = new EtaModel();
        var random = new Random(5);
        double last = 0;
        int inside = 0;
        const int count = 2000;
        for (int i = 0; i < count; i++)
        {
            TrackedOrder order = Order(ready: 0);
            order.Stage = EtaStage.ToDropoff;
            EtaEstimate estimate = model.Estimate(order, s_pickup, Now);
            EtaModel.Remember(order, estimate);
            double actual = estimate.RawMinutes * 1.5 * Math.Exp(0.2 * ((random.NextDouble() * 2) - 1));
            inside += i >= count / 2 && actual >= estimate.LowMinutes && actual <= estimate.HighMinutes ? 1 : 0;
            model.Learn(order, Now + (long)(actual * Minute));
            last = estimate.DeliveryMinutes / estimate.RawMinutes;
        }

        Assert.InRange(last, 1.4, 1.6);
        Assert.InRange(inside / (count / 2.0), 0.77, 0.85);
    }

    [Fact]
    public void Before_anything_is_known_the_prior_bounds_a_prediction()
    {
        var bucket = new ResidualBucket();
        Assert.Equal(1, bucket.Quantile(0.5), 6);
        Assert.InRange(bucket.Quantile(0.1), 0.5, 0.8);
        Assert.InRange(bucket.Quantile(0.9), 1.3, 1.9);
        for (int i = 0; i < 19; i++)
        {
            bucket.Add(2);
        }

        Assert.Equal(2, bucket.Quantile(0.1));
    }

    [Fact]
    public void Preparation_is_the_median_of_a_restaurant_shrunk_to_all()
    {
        var times = new PreparationTimes { PriorMinutes = 12 };
        Assert.Equal(12, times.Minutes("r"));
        for (int i = 0; i < 100; i++)
        {
            times.Learn("fast", 5);
            times.Learn("slow", i == 7 ? 170 : 25);
        }

        Assert.InRange(times.Minutes("fast"), 5, 7);
        Assert.InRange(times.Minutes("slow"), 23, 25);
        Assert.InRange(times.Minutes("new"), 5, 25);
        times.Learn("r", double.NaN);
        times.Learn("r", -4);
        Assert.InRange(times.Minutes("r"), 5, 25);
    }

    private static TrackedOrder Order(double ready) => new()
    {
        OrderId = "o",
        DriverId = "d",
        Pickup = s_pickup,
        Dropoff = s_dropoff,
        PlacedAt = Now,
        ReadyAt = Now + (long)(ready * Minute),
        Stage = EtaStage.ToPickup,
    };
}
