namespace Ingest.Agents.Delivery;

/// <summary>
/// What is expected of an order, in minutes from <paramref name="At"/>; parts add up to the delivery.
/// </summary>
/// <param name="At">Event time, Unix microseconds.</param>
/// <param name="RawMinutes">Until delivery, before residuals correct it.</param>
/// <param name="TravelToPickup">The driver's way to the order.</param>
/// <param name="Waiting">Until the order is ready once the driver is there, or until a driver comes.</param>
/// <param name="Handovers">Taking it and giving it.</param>
/// <param name="TravelToDropoff">The way with it.</param>
/// <param name="Correction">What residuals add.</param>
/// <param name="PickupMinutes">Until it is picked up; 0 once it is.</param>
/// <param name="DeliveryMinutes">Until it is delivered.</param>
/// <param name="LowMinutes">Until it is delivered, that one in ten is quicker than.</param>
/// <param name="HighMinutes">Until it is delivered, that one in ten is slower than.</param>
/// <param name="Confidence">Share of such predictions that are within <see cref="ConfidenceMinutes"/>.</param>
/// <param name="IsLearnt">Whether it rests on observations rather than on priors.</param>
internal readonly record struct EtaEstimate(
    long At, double RawMinutes, double TravelToPickup, double Waiting, double Handovers, double TravelToDropoff,
    double Correction, double PickupMinutes, double DeliveryMinutes, double LowMinutes, double HighMinutes,
    double Confidence, bool IsLearnt)
{
    /// <summary>How far off a prediction may be for <see cref="Confidence"/> to count it as right.</summary>
    public const double ConfidenceMinutes = 5;
}
