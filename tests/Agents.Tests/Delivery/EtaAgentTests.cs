using Google.Protobuf.WellKnownTypes;
using Ingest.Agents.Delivery;
using Ingest.V1;

namespace Ingest.Agents.Tests.Delivery;

/// <summary>The agent on a real pipeline.</summary>
public sealed class EtaAgentTests
{
    [Fact]
    public async Task An_order_is_followed_from_its_placing_to_its_delivery()
    {
        await using AgentServer server = await AgentServer.StartAsync([() => new EtaAgent()]);
        await server.RunningAsync("eta");
        await server.SendAsync(Rows.Order("o1"));
        await Eventually.BeAsync(() => server.Status("eta") is { Emitted: 1, ActiveSessions: 1 });
        await server.SendAsync(Rows.Order("o1", OrderStatus.Placed, "d1"));
        await Eventually.BeAsync(() => server.Status("eta").Emitted == 2);

        // To the restaurant, then with the order to the customer: a point each 20 s.
        await DriveAsync(server, 60, (-23.53, -46.61), (-23.55, -46.63), 12, TripStage.ToPickup);
        await server.SendAsync(Rows.Order("o1", OrderStatus.PickedUp, "d1"));
        await DriveAsync(server, 660, (-23.55, -46.63), (-23.57, -46.65), 12, TripStage.ToDropoff);
        await server.SendAsync(Rows.Order("o1", OrderStatus.Delivered, "d1"));
        await Eventually.BeAsync(() => server.Status("eta").ActiveSessions == 0);
        await server.SendAsync(Rows.Order("o1", OrderStatus.Ready, "d1")); // An older row that came later.
        await server.SendAsync(Rows.Order("o2"));
        await Eventually.BeAsync(() => server.Status("eta").ActiveSessions == 1);

        List<EtaPrediction> predictions =
            [.. (await server.UpdatesAsync("eta-predictions")).Where(u => u.Key == "o1").Select(u => u.EtaPrediction)];
        Assert.True(predictions.Count > 5, $"{predictions.Count} predictions");
        Assert.All(predictions, p =>
        {
            Assert.Equal("o1", p.OrderId);
            Assert.True(p.DeliveryEtaLow.ToDateTime() <= p.DeliveryEta.ToDateTime());
            Assert.True(p.DeliveryEta.ToDateTime() <= p.DeliveryEtaHigh.ToDateTime());
            Assert.Equal(p.DeliveryEtaMinutes, p.Factors.Sum(f => f.Minutes), 6);
            Assert.Equal(
                p.DeliveryEtaMinutes, (p.DeliveryEta.ToDateTime() - p.Timestamp.ToDateTime()).TotalMinutes, 1e-4);
            Assert.InRange(p.Confidence, 0, 1);
            Assert.Equal(("eta", Source.Rules), (p.Provenance.Agent, p.Provenance.Source));
        });
        Assert.Equal("", predictions[0].DriverId);
        Assert.Contains(predictions[0].Factors, f => f.Name == "assignment");
        Assert.All(predictions.Skip(1), p => Assert.Equal("d1", p.DriverId));
        int pickedUp = predictions.FindIndex(p => p.PickupEta is null);
        Assert.InRange(pickedUp, 2, predictions.Count - 2);
        Assert.All(predictions[pickedUp..], p => Assert.Null(p.PickupEta));
        Assert.True(predictions[^1].DeliveryEtaMinutes < predictions[pickedUp].DeliveryEtaMinutes);
        Assert.Contains("gps_points", predictions[^1].Provenance.Inputs);
    }

    [Fact]
    public async Task An_orders_predictions_are_as_far_apart_as_the_settings_say()
    {
        await using AgentServer server = await AgentServer.StartAsync([() => new EtaAgent()]);
        await server.RunningAsync("eta");
        await server.Agents.UpdateConfigurationAsync(
            "eta",
            new Struct
            {
                Fields =
                    { ["min_interval_seconds"] = Value.ForNumber(30), ["min_change_seconds"] = Value.ForNumber(0) },
            },
            0, default);
        await server.SendAsync(Rows.Order("o1", OrderStatus.Placed, "d1"));
        for (int i = 1; i <= 60; i++)
        {
            await server.SendAsync(Rows.Point("d1", i * 5, -23.50 - (i * 0.0005), -46.60));
        }

        await Eventually.BeAsync(() => server.Status("eta") is { Rows: 61, Emitted: 11 });
        List<Update> updates = await server.UpdatesAsync("eta-predictions");
        DateTime[] times = [.. updates.Skip(1).Select(u => u.EtaPrediction.Timestamp.ToDateTime())];
        Assert.Equal(10, times.Length);
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task It_answers_for_an_order_and_knows_it_after_a_restart()
    {
        AgentServer server = await AgentServer.StartAsync([() => new EtaAgent()]);
        await server.RunningAsync("eta");
        await server.SendAsync(Rows.Order("o1", OrderStatus.Placed, "d1"));
        await server.SendAsync(Rows.Point("d1", 30, -23.54, -46.62));
        await Eventually.BeAsync(() => server.Status("eta").Rows == 2);
        Struct before = (await server.Agents.RequestAsync(Ask("o1"), default)).Content;
        await server.StopAsync();

        await using AgentServer next = await AgentServer.StartAsync(
            [() => new EtaAgent()], directory: server.Directory);
        await next.RunningAsync("eta");
        Struct after = (await next.Agents.RequestAsync(Ask("o1"), default)).Content;
        Assert.Equal("d1", after.Fields["driver_id"].StringValue);
        Assert.Equal(before.Fields["delivery_eta"], after.Fields["delivery_eta"]);
        Assert.Equal(
            AgentFault.NotFound,
            (await Assert.ThrowsAsync<AgentException>(() => next.Agents.RequestAsync(Ask("o9"), default))).Fault);

        static AgentRequest Ask(string order) =>
            new("", "eta", new Struct { Fields = { ["order_id"] = Value.ForString(order) } });
    }

    private static async Task DriveAsync(
        AgentServer server, double start, (double Lat, double Lon) from, (double Lat, double Lon) to, int points,
        TripStage stage)
    {
        for (int i = 0; i <= points; i++)
        {
            double share = i / (double)points;
            GpsPoint point = Rows.Point(
                "d1", start + (i * 20), from.Lat + ((to.Lat - from.Lat) * share),
                from.Lon + ((to.Lon - from.Lon) * share), "o1");
            point.TripStage = stage;
            await server.SendAsync(point);
        }
    }
}
