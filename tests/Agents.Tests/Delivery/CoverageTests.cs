using Ingest.Agents.Delivery;
using Xunit.Abstractions;

namespace Ingest.Agents.Tests.Delivery;

/// <summary>
/// The intervals say what they mean on real trips: predictions are made as the trips go on, each only from what was
/// known by then, and the model learns from a trip when it has ended.
/// </summary>
public sealed class CoverageTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Four_of_five_taxi_trips_in_Chengdu_end_within_the_interval() =>
        Check(TripFile.Chengdu(), "Chengdu", mostMinutes: 6.2);

    [SkippableFact]
    public void Four_of_five_cab_rides_in_San_Francisco_end_within_the_interval() =>
        Check(TripFile.Cabs(), "San Francisco", mostMinutes: 3);

    private void Check(IReadOnlyList<Trip> trips, string name, double mostMinutes)
    {
        Assert.True(trips.Count > 500, $"{trips.Count} trips are too few to say anything");
        var model = new EtaModel { HandoverMinutes = 0 };
        var test = new List<Outcome>();
        int trained = trips.Count * 8 / 10;
        for (int i = 0; i < trips.Count; i++)
        {
            List<Outcome> outcomes = Follow(model, trips[i]);
            if (i >= trained)
            {
                test.AddRange(outcomes);
            }
        }

        double inside = test.Average(o => o.IsInside ? 1.0 : 0);
        double right = test.Average(o => o.IsRight ? 1.0 : 0);
        double confidence = test.Average(o => o.Confidence);
        double error = test.Average(o => o.Error);
        output.WriteLine(
            $"{name}: {trips.Count - trained} trips, {test.Count} predictions: {inside:P1} inside, "
            + $"mean error {error:0.00} min, width {test.Average(o => o.Width):0.00} min; within 5 min {right:P1}, "
            + $"confidence {confidence:P1}, naive error {test.Average(o => o.NaiveError):0.00} min");
        foreach (IGrouping<int, Outcome> bucket in test.GroupBy(o => o.Bucket).OrderBy(b => b.Key))
        {
            double share = bucket.Average(o => o.IsInside ? 1.0 : 0);
            output.WriteLine($"  bucket {bucket.Key}: {bucket.Count()} predictions, {share:P0} inside");
        }

        Assert.InRange(inside, 0.74, 0.88);
        Assert.InRange(confidence - right, -0.08, 0.08);
        Assert.True(error < mostMinutes && error < test.Average(o => o.NaiveError), $"mean error {error} min");
    }

    // Predictions at five points along the way: at the start, and at each fifth of the points.
    private static List<Outcome> Follow(EtaModel model, Trip trip)
    {
        var order = new TrackedOrder
        {
            OrderId = "o",
            DriverId = "d",
            Pickup = trip.Points[0].Place,
            Dropoff = trip.Points[^1].Place,
            Stage = EtaStage.ToDropoff,
        };
        var outcomes = new List<Outcome>();
        int step = Math.Max(1, trip.Points.Count / 5);
        for (int i = 0; i < trip.Points.Count - 1; i++)
        {
            (GeoPoint place, double seconds) = trip.Points[i];
            if (i > 0)
            {
                double hours = (seconds - trip.Points[i - 1].Seconds) / 3600;
                if (hours is > 1 / 3600.0 and < 5 / 60.0)
                {
                    model.Speeds.Learn(trip.Points[i - 1].Place, place, trip.MicrosAt(i), hours);
                }
            }

            if (i % step != 0)
            {
                continue;
            }

            EtaEstimate estimate = model.Estimate(order, place, trip.MicrosAt(i));
            EtaModel.Remember(order, estimate);
            double actual = trip.Minutes - (seconds / 60);
            double naive = place.MetersTo(order.Dropoff) / 1000 * model.RoadFactor / model.Speeds.PriorKph * 60;
            outcomes.Add(new Outcome(
                ResidualBook.IndexOf(order.Stage, estimate.RawMinutes),
                actual >= estimate.LowMinutes && actual <= estimate.HighMinutes,
                Math.Abs(actual - estimate.DeliveryMinutes) <= EtaEstimate.ConfidenceMinutes, estimate.Confidence,
                Math.Abs(actual - estimate.DeliveryMinutes), estimate.HighMinutes - estimate.LowMinutes,
                Math.Abs(actual - naive)));
        }

        model.Learn(order, trip.MicrosAt(trip.Points.Count - 1));
        return outcomes;
    }

    private sealed record Outcome(
        int Bucket, bool IsInside, bool IsRight, double Confidence, double Error, double Width, double NaiveError);
}
