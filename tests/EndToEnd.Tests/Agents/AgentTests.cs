using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Ingest.Client;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Agents;

/// <summary>
/// Agents as people meet them: rows in over gRPC, updates out over gRPC, settings and health over HTTP.
/// </summary>
public sealed class AgentTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [SkippableFact]
    public async Task Orders_and_points_sent_become_predictions_that_a_subscriber_gets_and_that_can_be_queried()
    {
        Engine.Require();
        await using ServerProcess server = await ServerProcess.StartAsync();
        using var client = new IngestClient(new Uri(server.GrpcAddress));
        using var timeout = new CancellationTokenSource(s_patience);
        var started = new TaskCompletionSource();
        var predictions = new List<EtaPrediction>();
        Task reading = ReadAsync();
        await started.Task.WaitAsync(timeout.Token);
        string metrics = await server.Http.GetStringAsync("/metrics", timeout.Token);
        Assert.Matches("""\ningest_subscription_active\{[^}]*transport="grpc"\} 1\n""", metrics);
        Assert.Matches("""\ningest_subscribe_refused_total(\{[^}]*\})? 0\n""", metrics);

        DateTimeOffset now = DateTimeOffset.UtcNow;
        await using (IngestStream<Order> orders = client.OpenOrders(cancellationToken: timeout.Token))
        {
            await orders.WriteAsync(OrderOf(now), timeout.Token);
            await orders.CompleteAsync(timeout.Token);
        }

        await using (IngestStream<GpsPoint> points = client.OpenGpsPoints(cancellationToken: timeout.Token))
        {
            for (int i = 0; i < 4; i++)
            {
                await points.WriteAsync(PointOf(now.AddSeconds(i * 20), -23.54 + (i * 0.002)), timeout.Token);
                await points.FlushAsync(timeout.Token);
            }

            await points.CompleteAsync(timeout.Token);
        }

        await reading;
        Assert.All(predictions, p => Assert.Equal(("o1", "d1"), (p.OrderId, p.DriverId)));
        Assert.Contains("gps_points", predictions[^1].Provenance.Inputs);
        Assert.True(predictions[^1].DeliveryEtaLow.ToDateTimeOffset() > now);
        JsonElement answer = await AskBySocketAsync(
            server, """{"task_type":"eta","parameters":{"order_id":"o1"}}""", timeout.Token);
        Assert.Equal("agent_response", answer.GetProperty("message_type").GetString());
        Assert.Equal("d1", answer.GetProperty("payload").GetProperty("content").GetProperty("driver_id").GetString());
        await server.ExpectAsync(
            "o1\td1\teta", "SELECT DISTINCT order_id, driver_id, provenance_agent FROM eta_predictions");

        async Task ReadAsync()
        {
            var options = new SubscribeOptions
            {
                Topics = ["eta-predictions"], Keys = ["o1"], Position = StartPosition.Earliest, Started = _ =>
                    started.TrySetResult(),
            };
            await foreach (Delivery delivery in client.SubscribeAsync(options, timeout.Token))
            {
                predictions.Add(delivery.Update!.EtaPrediction);
                if (predictions[^1].Provenance.Inputs.Any(i => i.StartsWith("gps_points/", StringComparison.Ordinal)))
                {
                    return;
                }
            }
        }
    }

    [SkippableFact]
    public async Task Agents_are_listed_set_and_measured_over_HTTP_and_keep_their_settings()
    {
        Engine.Require();
        await using ServerProcess server = await ServerProcess.StartAsync();
        JsonElement agent = (await GetAsync(server, "/agents")).GetProperty("agents")[0];
        Assert.Equal("eta", agent.GetProperty("name").GetString());
        Assert.Equal(["gps_points", "orders"], agent.GetProperty("tables").EnumerateArray().Select(t => t.GetString()));
        JsonElement config = await GetAsync(server, "/agents/eta/config");
        Assert.Equal(1.35, config.GetProperty("config").GetProperty("values").GetProperty("road_factor").GetDouble());
        Assert.Contains(
            config.GetProperty("settings").EnumerateArray(), s =>
                s.GetProperty("name").GetString() == "min_interval_seconds");

        HttpResponseMessage changed = await PatchAsync(server, """{"road_factor": 1.5}""", "\"1\"");
        Assert.Equal((HttpStatusCode.OK, "\"2\""), (changed.StatusCode, changed.Headers.ETag?.Tag));
        Assert.Equal(HttpStatusCode.PreconditionFailed, (
            await PatchAsync(server, """{"road_factor": 1.6}""", "\"1\"")).StatusCode);
        HttpResponseMessage unknown = await PatchAsync(server, """{"road_factor": 1.6, "roads": 2}""");
        Assert.Equal(HttpStatusCode.BadRequest, unknown.StatusCode);
        Assert.Contains("roads is no setting of eta", await unknown.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.BadRequest, (await PatchAsync(server, "[]")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await PatchAsync(server, """{"road_factor": "far"}""")).StatusCode);
        Assert.Equal(
            HttpStatusCode.RequestEntityTooLarge, (await PatchAsync(server, new string(' ', 70_000))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await server.Http.GetAsync("/agents/nobody/config")).StatusCode);

        string metrics = await server.Http.GetStringAsync("/metrics");
        Assert.Matches("""active_sessions_current\{[^}]*agent_type="eta"\} 0""", metrics);
        Assert.Matches("""agent_calls_total\{[^}]*agent_type="eta",status="ok"\} [1-9]""", metrics);
        Assert.Matches("""agent_duration_seconds_count\{[^}]*agent_type="eta"\} [1-9]""", metrics);
        await server.KillAsync();

        await using ServerProcess again = await ServerProcess.StartAsync(server.DataDirectory);
        JsonElement kept = (await GetAsync(again, "/agents/eta/config")).GetProperty("config");
        Assert.Equal(1.5, kept.GetProperty("values").GetProperty("road_factor").GetDouble());
        Assert.Equal("2", kept.GetProperty("revision").GetString());
    }

    [SkippableFact]
    public async Task Agents_are_listed_set_and_asked_over_gRPC()
    {
        Engine.Require();
        await using ServerProcess server = await ServerProcess.StartAsync();
        ListAgentsResponse agents = (
            await CallAsync(server, "ListAgents", new ListAgentsRequest())).Response(ListAgentsResponse.Parser);
        Assert.Equal(["eta"], agents.Agents.Single().TaskTypes);
        var change = new UpdateAgentConfigRequest
        {
            Agent = "eta", Values = new Struct { Fields = { ["handover_minutes"] = Value.ForNumber(3) } },
        };
        UpdateAgentConfigResponse updated =
            (await CallAsync(server, "UpdateAgentConfig", change)).Response(UpdateAgentConfigResponse.Parser);
        Assert.Equal((3, 2), (updated.Config.Values.Fields["handover_minutes"].NumberValue, updated.Config.Revision));
        GetAgentConfigResponse config = (
            await CallAsync(server, "GetAgentConfig", new GetAgentConfigRequest { Agent = "eta" }))
            .Response(GetAgentConfigResponse.Parser);
        Assert.Equal(updated.Config, config.Config);
        Assert.Equal(
            5, (await CallAsync(server, "GetAgentConfig", new GetAgentConfigRequest { Agent = "eva" })).Status);
        Assert.Equal(5, (await CallAsync(server, "AskAgent", new AskAgentRequest { TaskType = "poem" })).Status);
        Assert.Equal(3, (await CallAsync(server, "AskAgent", new AskAgentRequest { TaskType = "eta" })).Status);
        change.ExpectedRevision = 1;
        Assert.Equal(9, (await CallAsync(server, "UpdateAgentConfig", change)).Status);
    }

    private static Task<RawCall.Answer> CallAsync(
        ServerProcess server, string method, Google.Protobuf.IMessage request) =>
        RawCall.SendAsync(server.GrpcAddress, $"/ingest.v1.AgentService/{method}", PointFrames.Frame(request));

    private static async Task<JsonElement> AskBySocketAsync(
        ServerProcess server, string request, CancellationToken cancellationToken)
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(
            new UriBuilder(server.HttpAddress) { Scheme = "ws", Path = "/ws" }.Uri, cancellationToken);
        byte[] message = Encoding.UTF8.GetBytes($$"""{"message_type":"agent_request","payload":{{request}}}""");
        await socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
        byte[] answer = new byte[64 * 1024];
        WebSocketReceiveResult read = await socket.ReceiveAsync(answer, cancellationToken);
        return JsonDocument.Parse(answer.AsMemory(0, read.Count)).RootElement;
    }

    private static async Task<JsonElement> GetAsync(ServerProcess server, string path) =>
        JsonDocument.Parse(await server.Http.GetStringAsync(path)).RootElement;

    private static Task<HttpResponseMessage> PatchAsync(ServerProcess server, string body, string? revision = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Patch, "/agents/eta/config")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        if (revision is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", revision);
        }

        return server.Http.SendAsync(request);
    }

    private static Order OrderOf(DateTimeOffset now) => new()
    {
        OrderId = "o1",
        RestaurantId = "r1",
        Pickup = new Location { Lat = -23.55, Lon = -46.63 },
        Dropoff = new Location { Lat = -23.57, Lon = -46.65 },
        PlacedAt = Timestamp.FromDateTimeOffset(now),
        ReadyAt = Timestamp.FromDateTimeOffset(now.AddMinutes(10)),
        Status = OrderStatus.Placed,
        DriverId = "d1",
    };

    private static GpsPoint PointOf(DateTimeOffset at, double lat) => new()
    {
        DriverId = "d1",
        OrderId = "o1",
        Location = new Location { Lat = lat, Lon = -46.63 },
        TripStage = TripStage.ToPickup,
        Timestamp = Timestamp.FromDateTimeOffset(at),
    };
}
