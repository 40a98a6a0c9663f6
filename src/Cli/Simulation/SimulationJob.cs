using Google.Protobuf;
using Ingest.Cli.Streaming;
using Ingest.Client;

namespace Ingest.Cli.Simulation;

/// <summary>Streams a simulation: four streams side by side, each row when it is due.</summary>
/// <param name="simulation">The city.</param>
/// <param name="client">The server.</param>
/// <param name="rowsPerSecond">The rate of all rows together; null for as fast as it goes.</param>
/// <param name="isRealTime">Whether a simulated second takes a second, from the simulation's start on.</param>
/// <param name="timeProvider">The clock.</param>
internal sealed class SimulationJob(
    CitySimulation simulation, IngestClient client, double? rowsPerSecond, bool isRealTime, TimeProvider timeProvider)
{
    private long _rows;

    /// <summary>Rows given to the client.</summary>
    public long Rows => Interlocked.Read(ref _rows);

    /// <summary>What became of the rows, by table; whole when the job is done.</summary>
    public IReadOnlyList<(string Table, long Rows, StreamResult Result)> Results { get; private set; } = [];

    /// <summary>Streams the simulation to its end and waits for the server's answers.</summary>
    /// <exception cref="Protocol.RpcException">A stream failed; the others were given up.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var points = client.OpenGpsPoints(cancellationToken: cancellationToken);
        await using var orders = client.OpenOrders(cancellationToken: cancellationToken);
        await using var events = client.OpenEvents(cancellationToken: cancellationToken);
        await using var metrics = client.OpenMetrics(cancellationToken: cancellationToken);
        var pacer = new RatePacer(rowsPerSecond, timeProvider);
        while (simulation.Step() is { } tick)
        {
            await WaitForAsync(tick.Time, cancellationToken);
            await WriteAsync(points, tick.Points, pacer, cancellationToken);
            await WriteAsync(orders, tick.Orders, pacer, cancellationToken);
            await WriteAsync(events, tick.Events, pacer, cancellationToken);
            await WriteAsync(metrics, tick.Metrics, pacer, cancellationToken);
        }
        Results =
        [
            ("gps_points", points.RowCount, await points.CompleteAsync(cancellationToken)),
            ("orders", orders.RowCount, await orders.CompleteAsync(cancellationToken)),
            ("events", events.RowCount, await events.CompleteAsync(cancellationToken)),
            ("metric_samples", metrics.RowCount, await metrics.CompleteAsync(cancellationToken)),
        ];
    }

    private async ValueTask WaitForAsync(DateTime time, CancellationToken cancellationToken)
    {
        var early = isRealTime ? time - timeProvider.GetUtcNow().UtcDateTime : TimeSpan.Zero;
        if (early > TimeSpan.Zero)
        {
            await Task.Delay(early, timeProvider, cancellationToken);
        }
    }

    private async ValueTask WriteAsync<TRow>(
        IngestStream<TRow> stream, List<TRow> rows, RatePacer pacer, CancellationToken cancellationToken)
        where TRow : class, IMessage<TRow>
    {
        foreach (var row in rows)
        {
            await pacer.TakeAsync(1, cancellationToken);
            await stream.WriteAsync(row, cancellationToken);
        }
        Interlocked.Add(ref _rows, rows.Count);
    }
}
