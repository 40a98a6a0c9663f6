namespace Ingest.Agents.Delivery;

/// <summary>
/// When orders are picked up and delivered: great circle times a road factor over a learnt speed, plus what the kitchen
/// and the handovers take, corrected and bounded by how earlier predictions turned out.
/// </summary>
internal sealed class EtaModel
{
    private const double MicrosAMinute = 60_000_000;
    private const int LearntRatios = 30;
    private const double LearntHours = 1;
    private const int MaxPending = 32;
    private const long PendingMicros = 120_000_000;

    public EtaModel(double zoneDegrees = 0.02) => Speeds = new SpeedTable(zoneDegrees);

    public SpeedTable Speeds { get; }

    public ResidualBook Residuals { get; } = new();

    public PreparationTimes Preparation { get; } = new();

    /// <summary>Way on roads over way as the crow flies.</summary>
    public double RoadFactor { get; set; } = 1.35;

    /// <summary>Minutes to take an order at the restaurant, once it is ready.</summary>
    public double PickupMinutes { get; set; } = 2;

    /// <summary>Minutes to give it to the customer.</summary>
    public double HandoverMinutes { get; set; } = 1;

    /// <summary>Minutes until a driver is at the restaurant, while none has the order.</summary>
    public double AssignmentMinutes { get; set; } = 8;

    /// <summary>What is expected of an order now.</summary>
    /// <param name="order">The order.</param>
    /// <param name="driver">The driver's place; unknown when there is no driver, or no point of theirs yet.</param>
    /// <param name="now">Event time, Unix microseconds.</param>
    public EtaEstimate Estimate(TrackedOrder order, GeoPoint driver, long now)
    {
        bool isPickedUp = order.Stage == EtaStage.ToDropoff;
        GeoPoint from = isPickedUp ? (driver.IsKnown ? driver : order.Pickup) : order.Pickup;
        double toDropoff = TravelMinutes(from, order.Dropoff, now, out double learnt);
        double toPickup = 0;
        double waiting = 0;
        if (!isPickedUp)
        {
            toPickup = driver.IsKnown && order.DriverId.Length > 0
                ? TravelMinutes(driver, order.Pickup, now, out _)
                : AssignmentMinutes;
            waiting = Math.Max(0, MinutesToReady(order, now) - toPickup);
        }

        double pickup = isPickedUp ? 0 : toPickup + waiting + PickupMinutes;
        double raw = pickup + toDropoff + HandoverMinutes;
        ResidualBucket residuals = Residuals.Of(order.Stage, raw);
        double middle = Scaled(raw, residuals.Quantile(0.5));
        double low = Math.Min(middle, Scaled(raw, residuals.Quantile(0.1)));
        double high = Math.Max(middle, Scaled(raw, residuals.Quantile(0.9)));
        double scale = raw + ResidualBook.OffsetMinutes;
        double confidence = residuals.ShareBetween(
            (middle - EtaEstimate.ConfidenceMinutes + ResidualBook.OffsetMinutes) / scale,
            (middle + EtaEstimate.ConfidenceMinutes + ResidualBook.OffsetMinutes) / scale);
        return new EtaEstimate(
            now, raw, toPickup, waiting, isPickedUp ? HandoverMinutes : PickupMinutes + HandoverMinutes, toDropoff,
            middle - raw, Math.Min(pickup, middle), middle, low, high, confidence,
            residuals.Count >= LearntRatios && learnt >= LearntHours);
    }

    /// <summary>
    /// Keeps a prediction that was made, to be compared with what comes: of an order one a bucket, and one more there
    /// every two minutes. An order that waits for long at "soon" is so learnt from as often as it is predicted for.
    /// </summary>
    public static void Remember(TrackedOrder order, in EtaEstimate estimate)
    {
        int bucket = ResidualBook.IndexOf(order.Stage, estimate.RawMinutes);
        foreach ((long at, EtaStage stage, double minutes) in order.Pending)
        {
            if (ResidualBook.IndexOf(stage, minutes) == bucket && estimate.At - at < PendingMicros)
            {
                return;
            }
        }

        if (order.Pending.Count >= MaxPending)
        {
            return;
        }

        order.Pending.Add((estimate.At, order.Stage, estimate.RawMinutes));
    }

    /// <summary>Learns from an order that was delivered.</summary>
    public void Learn(TrackedOrder order, long deliveredAt)
    {
        foreach ((long at, EtaStage stage, double minutes) in order.Pending)
        {
            Residuals.Learn(stage, minutes, (deliveredAt - at) / MicrosAMinute);
        }

        order.Pending.Clear();
    }

    private double MinutesToReady(TrackedOrder order, long now) => order.ReadyAt != 0
        ? (order.ReadyAt - now) / MicrosAMinute
        : Preparation.MinutesLeft(order.RestaurantId, (now - order.PlacedAt) / MicrosAMinute);

    private double TravelMinutes(GeoPoint from, GeoPoint to, long now, out double learnt)
    {
        learnt = 0;
        if (!from.IsKnown || !to.IsKnown)
        {
            return AssignmentMinutes;
        }

        double km = from.MetersTo(to) * RoadFactor / 1000;
        return km / Speeds.Kph(from, to, now, out learnt) * 60;
    }

    private static double Scaled(double minutes, double ratio) =>
        Math.Max(0, ((minutes + ResidualBook.OffsetMinutes) * ratio) - ResidualBook.OffsetMinutes);
}
