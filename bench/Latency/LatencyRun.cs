using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Ingest.Client;
using Ingest.V1;

namespace Ingest.Latency;

/// <summary>Points of drivers with orders, each of which makes the ETA agent predict, and the predictions' ways back.</summary>
/// <remarks>
/// The agent is set to predict at every point. A prediction is found again by its order and its time, which is the
/// point's. Client and server are on one machine, so that steps can be told by the clock.
/// </remarks>
internal sealed class LatencyRun(
    Uri server, Uri http, int drivers, double pointsPerSecond, TimeSpan warmUp, TimeSpan duration)
{
    private static readonly string[] s_tables = ["gps_points", "eta_predictions"];

    private readonly ConcurrentDictionary<(string Order, long Micros), (long Sent, double SentMillis)> _sent = new();
    private readonly ConcurrentBag<Sample> _samples = [];
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private bool _counts;

    public async Task<LatencyReport> RunAsync(CancellationToken cancellation)
    {
        using var http1 = new HttpClient { BaseAddress = http };
        using var client = new IngestClient(server);
        using var subscriber = new IngestClient(server);
        await PatchAsync(http1, """{"min_interval_seconds": 0, "min_change_seconds": 0}""", cancellation);
        await PlaceOrdersAsync(client, cancellation);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var started = new TaskCompletionSource();
        Task reading = ReadAsync(subscriber, started, stop.Token);
        await started.Task.WaitAsync(cancellation);

        await using IngestStream<GpsPoint> points = client.OpenGpsPoints(
            new StreamOptions { MaxBatchRows = 1, Linger = TimeSpan.Zero }, cancellation);
        await SendAsync(points, warmUp, cancellation);
        await SettleAsync();
        _samples.Clear();
        _sent.Clear();
        Dictionary<string, double> before = await MetricsAsync(http1, cancellation);
        long began = Stopwatch.GetTimestamp();
        _counts = true;
        await SendAsync(points, duration, cancellation);
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        Dictionary<string, double> after = await MetricsAsync(http1, cancellation);
        await SettleAsync();
        await stop.CancelAsync();
        await reading;
        await points.CompleteAsync(cancellation);
        await PatchAsync(http1, """{"min_interval_seconds": null, "min_change_seconds": null}""", cancellation);
        double rows = after["rows"] - before["rows"];
        return new LatencyReport(
            [.. _samples], _sent.Count, (rows / seconds) - (2 * pointsPerSecond),
            s_tables.ToDictionary(
                table => table,
                table => 1000 * (after[$"sum {table}"] - before[$"sum {table}"])
                    / Math.Max(1, after[$"count {table}"] - before[$"count {table}"])));
    }

    private async Task PlaceOrdersAsync(IngestClient client, CancellationToken cancellation)
    {
        await using IngestStream<Order> orders = client.OpenOrders(cancellationToken: cancellation);
        for (int i = 0; i < drivers; i++)
        {
            await orders.WriteAsync(
                new Order
                {
                    OrderId = Name("order", i),
                    DriverId = Name("driver", i),
                    RestaurantId = "r",
                    Pickup = new Location { Lat = -23.55, Lon = -46.63 },
                    Dropoff = new Location { Lat = -23.58, Lon = -46.66 },
                    PlacedAt = Timestamp.FromDateTime(DateTime.UtcNow),
                    ReadyAt = Timestamp.FromDateTime(DateTime.UtcNow),
                    Status = OrderStatus.Placed,
                },
                cancellation);
        }

        await orders.CompleteAsync(cancellation);
    }

    // By the schedule: a point that is late is not sent later for it, and its wait counts.
    private async Task SendAsync(IngestStream<GpsPoint> points, TimeSpan time, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        for (int i = 0; clock.Elapsed < time; i++)
        {
            double wait = (i / pointsPerSecond) - clock.Elapsed.TotalSeconds;
            if (wait > 0)
            {
                await Task.Delay(TimeSpan.FromSeconds(wait), cancellation);
            }

            int driver = i % drivers;
            long micros = UnixMicros();
            var point = new GpsPoint
            {
                DriverId = Name("driver", driver),
                OrderId = Name("order", driver),
                Location = new Location { Lat = -23.55 + (i % 1000 * 0.00001), Lon = -46.63 },
                SpeedKph = 20,
                TripStage = TripStage.ToPickup,
                Timestamp = TimestampOf(micros),
            };
            _sent[(point.OrderId, micros)] = (Stopwatch.GetTimestamp(), micros / 1000.0);
            await points.WriteAsync(point, cancellation);
        }
    }

    private async Task ReadAsync(IngestClient subscriber, TaskCompletionSource started, CancellationToken stop)
    {
        var options = new SubscribeOptions { Topics = ["eta-predictions"], Started = _ => started.TrySetResult() };
        try
        {
            await foreach (Delivery delivery in subscriber.SubscribeAsync(options, stop))
            {
                if (delivery.Update is { } update)
                {
                    Take(update, Stopwatch.GetTimestamp(), UnixMicros() / 1000.0);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // All that was wanted is there.
        }
    }

    private void Take(Update update, long now, double nowMillis)
    {
        EtaPrediction prediction = update.EtaPrediction;
        long micros = (prediction.Timestamp.Seconds * 1_000_000) + (prediction.Timestamp.Nanos / 1000);
        if (_sent.TryRemove((update.Key, micros), out (long Sent, double SentMillis) sent) && _counts)
        {
            double emitted = Millis(update.EmittedAt);
            double inside = prediction.Provenance.IngestToEmit.ToTimeSpan().TotalMilliseconds;
            _samples.Add(new Sample(
                Stopwatch.GetElapsedTime(sent.Sent, now).TotalMilliseconds, emitted - inside - sent.SentMillis, inside,
                nowMillis - emitted));
        }
    }

    // What is under way comes, or is missing.
    private async Task SettleAsync()
    {
        var clock = Stopwatch.StartNew();
        while (!_sent.IsEmpty && clock.Elapsed < TimeSpan.FromSeconds(5))
        {
            await Task.Delay(10);
        }
    }

    private static async Task PatchAsync(HttpClient http, string settings, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await http.PatchAsync(
            "/agents/eta/config", new StringContent(settings, Encoding.UTF8, "application/json"), cancellation);
        response.EnsureSuccessStatusCode();
    }

    private static async Task<Dictionary<string, double>> MetricsAsync(HttpClient http, CancellationToken cancellation)
    {
        string[] lines = (await http.GetStringAsync("/metrics", cancellation)).Split('\n');
        var values = new Dictionary<string, double>();
        foreach (string table in s_tables)
        {
            values[$"sum {table}"] = Find("ingest_log_flush_duration_seconds_sum{", table);
            values[$"count {table}"] = Find("ingest_log_flush_duration_seconds_count{", table);
        }

        values["rows"] = lines
            .Where(line => line.StartsWith("ingest_log_rows_total", StringComparison.Ordinal))
            .Sum(ValueOf);
        return values;

        double Find(string name, string table) => lines
            .Where(line => line.StartsWith(name, StringComparison.Ordinal)
                && line.Contains($"table=\"{table}\"", StringComparison.Ordinal))
            .Sum(ValueOf);
    }

    private static double ValueOf(string line) =>
        double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);

    private string Name(string kind, int number) => $"{kind}-{_run}-{number}";

    private static long UnixMicros() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private static Timestamp TimestampOf(long micros) =>
        new() { Seconds = micros / 1_000_000, Nanos = (int)(micros % 1_000_000) * 1000 };

    private static double Millis(Timestamp time) => (time.Seconds * 1000.0) + (time.Nanos / 1e6);
}
