using System.Diagnostics;
using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Ingest.Client;
using Ingest.V1;

namespace Ingest.Load;

/// <summary>Streams of GPS points at a rate, each stream one driver.</summary>
internal static class SdkLoad
{
    public static async Task<LoadReport> RunAsync(LoadOptions options, CancellationToken cancellation)
    {
        IngestClient[] clients = [.. Enumerable.Range(0, options.Connections)
            .Select(_ => new IngestClient(options.Server))];
        var clock = Stopwatch.StartNew();
        StreamResult[] results = await Task.WhenAll(Enumerable.Range(0, options.Streams)
            .Select(stream => SendAsync(clients[stream % clients.Length], stream, options, clock, cancellation)));
        double elapsed = clock.Elapsed.TotalSeconds;
        foreach (IngestClient client in clients)
        {
            client.Dispose();
        }

        return new LoadReport
        {
            Points = results.Sum(r => r.AcceptedCount),
            Seconds = elapsed,
            Rejected = results.Sum(r => r.RejectedCount),
            Refusals = 0,
        };
    }

    private static async Task<StreamResult> SendAsync(
        IngestClient client, int stream, LoadOptions options, Stopwatch clock, CancellationToken cancellation)
    {
        await using IngestStream<GpsPoint> points = client.OpenGpsPoints(
            new StreamOptions { MaxBatchRows = options.PointsPerMessage, Linger = TimeSpan.Zero }, cancellation);
        GpsPoint point = Point(stream);
        GpsPointColumns columns = Columns(point, options.PointsPerMessage);
        long sent = 0;

        // Streams start spread over the time between two messages, as independent senders do.
        double interval = options.PointsPerSecond > 0 ? options.PointsPerMessage * options.Streams / options.PointsPerSecond : 0;
        double due = interval * stream / options.Streams;
        while (clock.Elapsed < options.Duration)
        {
            // From the schedule and not from the last message: a server that is late does not slow the clock.
            double wait = due - clock.Elapsed.TotalSeconds;
            if (wait > 0)
            {
                await Task.Delay(TimeSpan.FromSeconds(wait), cancellation);
            }

            due += interval;
            if (options.AsColumns)
            {
                columns.Timestamp.FirstMicros++;
                await points.WriteColumnsAsync(columns, cancellation);
                continue;
            }

            for (int i = 0; i < options.PointsPerMessage; i++)
            {
                point.Location.Lat = -23.55 + (sent % 1000 / 10_000.0);
                point.Timestamp.Nanos = (int)(sent % 1000) * 1_000_000;
                sent++;
                await points.WriteAsync(point, cancellation);
            }
        }

        return await points.CompleteAsync(cancellation);
    }

    private static GpsPointColumns Columns(GpsPoint point, int count) => new()
    {
        RowCount = (uint)count,
        DriverId = Text(point.DriverId, count),
        OrderId = Text(point.OrderId, count),
        LocationLat = { Enumerable.Range(0, count).Select(i => -23.55 + (i % 1000 / 10_000.0)) },
        LocationLon = { Enumerable.Repeat(point.Location.Lon, count) },
        SpeedKph = { Enumerable.Repeat(point.SpeedKph, count) },
        TripStage = { Enumerable.Repeat(point.TripStage, count) },
        TrafficDensity = { Enumerable.Repeat(point.TrafficDensity, count) },
        ZoneType = Text(point.ZoneType, count),
        Timestamp = new TimestampColumn
        {
            FirstMicros = point.Timestamp.Seconds * 1_000_000,
            DeltaMicros = { Enumerable.Repeat(1000L, count - 1) },
        },
    };

    private static StringColumn Text(string value, int count) =>
        new() { Dictionary = { value }, Indexes = { Enumerable.Repeat(0U, count) } };

    private static GpsPoint Point(int stream) => new()
    {
        DriverId = $"driver_{stream}",
        OrderId = $"order_{stream}",
        Location = new Location { Lat = -23.55, Lon = -46.63 },
        SpeedKph = 42,
        TripStage = TripStage.ToDropoff,
        TrafficDensity = TrafficDensity.Moderate,
        ZoneType = "business_district",
        Timestamp = Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow),
    };
}
