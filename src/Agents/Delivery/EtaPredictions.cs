using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Agents.Delivery;

/// <summary>Estimates as messages.</summary>
internal static class EtaPredictions
{
    public static EtaPrediction Of(TrackedOrder order, in EtaEstimate estimate)
    {
        var prediction = new EtaPrediction
        {
            OrderId = order.OrderId,
            DriverId = order.DriverId,
            DeliveryEta = After(estimate.At, estimate.DeliveryMinutes),
            DeliveryEtaMinutes = estimate.DeliveryMinutes,
            DeliveryEtaLow = After(estimate.At, estimate.LowMinutes),
            DeliveryEtaHigh = After(estimate.At, estimate.HighMinutes),
            Confidence = Math.Clamp(estimate.Confidence, 0, 1),
            Timestamp = After(estimate.At, 0),
            Provenance = new Provenance
            {
                Source = estimate.IsLearnt ? Source.Model : Source.Rules,
                Inputs = { "orders" },
            },
        };
        if (order.Stage != EtaStage.ToDropoff)
        {
            prediction.PickupEta = After(estimate.At, estimate.PickupMinutes);
            prediction.PickupEtaMinutes = estimate.PickupMinutes;
            Add(prediction, order.Stage == EtaStage.Waiting ? "assignment" : "travel_to_pickup",
                estimate.TravelToPickup);
            Add(prediction, "preparation", estimate.Waiting);
        }

        Add(prediction, "travel_to_dropoff", estimate.TravelToDropoff);
        Add(prediction, "handover", estimate.Handovers);
        Add(prediction, "observed_residuals", estimate.Correction);
        if (order.DriverId.Length > 0)
        {
            prediction.Provenance.Inputs.Add("gps_points");
        }

        return prediction;
    }

    /// <summary>A prediction as the answer to a request: its JSON form.</summary>
    public static Struct Describe(EtaPrediction prediction) =>
        Struct.Parser.ParseJson(
            new JsonFormatter(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true)).Format(prediction));

    private static void Add(EtaPrediction prediction, string name, double minutes)
    {
        if (minutes != 0)
        {
            prediction.Factors.Add(new EtaFactor { Name = name, Minutes = minutes });
        }
    }

    private static Timestamp After(long micros, double minutes)
    {
        const long second = 1_000_000;
        long at = micros + (long)(minutes * 60 * second);
        long seconds = Math.DivRem(at, second, out long rest);
        return new Timestamp { Seconds = seconds, Nanos = (int)rest * 1000 };
    }
}
