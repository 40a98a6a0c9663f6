using System.Globalization;
using Google.Protobuf;
using Ingest.Client;
using Ingest.V1;

namespace Ingest.Cli.Subscribing;

/// <summary>Prints what a subscription gives: JSON lines for programs, short lines for people.</summary>
internal sealed class DeliveryPrinter(TextWriter output, bool asJson)
{
    private static readonly JsonFormatter Json = new(
        JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true));

    /// <summary>Prints an item and hands it on at once: who reads a pipe sees it when it happens.</summary>
    public void Print(Delivery delivery)
    {
        output.WriteLine(asJson ? ToJson(delivery) : ToText(delivery));
        output.Flush();
    }

    // The response that it came in, as proto3 JSON with the names of the protos, which WebSocket and SSE have too.
    private static string ToJson(Delivery delivery) => Json.Format(delivery.Update is { } update
        ? new SubscribeResponse { Update = update }
        : new SubscribeResponse { Gap = delivery.Gap });

    private static string ToText(Delivery delivery)
    {
        if (delivery.Gap is { } gap)
        {
            var end = gap.ToEpoch == gap.FromEpoch
                ? gap.ToOffset.ToString(CultureInfo.InvariantCulture)
                : $"{gap.ToOffset} of epoch {gap.ToEpoch}";
            return $"-- gap in {gap.Topic}: {gap.FromOffset} to {end} left out, {gap.DroppedCount} updates ({gap.Reason})";
        }
        var update = delivery.Update!;
        var time = update.EmittedAt.ToDateTimeOffset().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
        return $"{time} {update.Topic} {update.Key} #{update.Offset} {Payload(update)}";
    }

    private static string Payload(Update update) => update.PayloadCase switch
    {
        Update.PayloadOneofCase.EtaPrediction => Json.Format(update.EtaPrediction),
        Update.PayloadOneofCase.RouteOptimization => Json.Format(update.RouteOptimization),
        Update.PayloadOneofCase.DriverAllocation => Json.Format(update.DriverAllocation),
        Update.PayloadOneofCase.Alert => Json.Format(update.Alert),
        Update.PayloadOneofCase.Custom => Json.Format(update.Custom),
        _ => "{}",
    };
}
