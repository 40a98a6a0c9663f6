using System.Collections.Concurrent;
using Google.Protobuf.WellKnownTypes;
using Ingest.Protocol;
using Ingest.V1;
using Microsoft.AspNetCore.Http;

namespace Ingest.Client.Tests;

public sealed class IngestStreamTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Rows_arrive_whole_and_in_order()
    {
        List<StreamGpsPointsRequest> received = [];
        await using var server = await FrameServer.StartAsync(async context =>
        {
            Assert.Equal("/ingest.v1.IngestService/StreamGpsPoints", context.Request.Path);
            Assert.Equal("trailers", context.Request.Headers.TE);
            received = await FrameServer.ReadAllAsync<StreamGpsPointsRequest>(context);
            await FrameServer.AnswerAsync(context, new StreamGpsPointsResponse { AcceptedCount = 10_000 });
        });
        using var client = new IngestClient(server.Address);
        await using var stream = client.OpenGpsPoints();
        var sent = Enumerable.Range(0, 10_000).Select(Rows.Point).ToList();
        foreach (var point in sent)
        {
            await stream.WriteAsync(point);
        }
        var result = await stream.CompleteAsync().WaitAsync(Patience);

        Assert.Equal(new StreamResult(10_000, 0, result.Errors), result);
        Assert.Equal(10_000, stream.RowCount);
        Assert.Equal(sent, received.SelectMany(request => request.Points));
        Assert.All(received, request => Assert.InRange(request.Points.Count, 1, 1000));
        Assert.All(received, request => Assert.InRange(request.CalculateSize(), 1, 64 * 1024));
    }

    [Fact]
    public async Task Columns_go_in_a_message_of_their_own_between_the_rows_around_them()
    {
        List<StreamGpsPointsRequest> received = [];
        await using var server = await FrameServer.StartAsync(async context =>
        {
            received = await FrameServer.ReadAllAsync<StreamGpsPointsRequest>(context);
            await FrameServer.AnswerAsync(context, new StreamGpsPointsResponse { AcceptedCount = 7 });
        });
        using var client = new IngestClient(server.Address);
        await using var stream = client.OpenGpsPoints();
        var columns = new GpsPointColumns { RowCount = 2, LocationLat = { 1, 2 } };
        await stream.WriteAsync(Rows.Point(0));
        await stream.WriteAsync(Rows.Point(1));
        await stream.WriteColumnsAsync(columns);
        await stream.WriteColumnsAsync(new GpsPointColumns());
        await stream.WriteColumnsAsync(columns);
        await stream.WriteAsync(Rows.Point(2));
        Assert.Equal(7, stream.RowCount);
        await stream.CompleteAsync().WaitAsync(Patience);

        Assert.Equal(
            [
                new() { Points = { Rows.Point(0), Rows.Point(1) } }, new() { Columns = columns },
                new() { Columns = columns }, new StreamGpsPointsRequest { Points = { Rows.Point(2) } },
            ],
            received);
    }

    [Fact]
    public async Task Columns_larger_than_a_batch_are_sent_whole()
    {
        List<StreamEventsRequest> received = [];
        await using var server = await FrameServer.StartAsync(async context =>
        {
            received = await FrameServer.ReadAllAsync<StreamEventsRequest>(context);
            await FrameServer.AnswerAsync(context, new StreamEventsResponse());
        });
        using var client = new IngestClient(server.Address);
        await using var stream = client.OpenEvents(new StreamOptions { MaxBatchRows = 10, MaxBatchBytes = 1000 });
        var columns = new EventColumns
        {
            RowCount = 5000,
            EntityId = new StringColumn { Values = { Enumerable.Range(0, 5000).Select(i => $"entity_{i}") } },
        };
        await stream.WriteColumnsAsync(columns);
        await stream.CompleteAsync().WaitAsync(Patience);

        Assert.Equal(columns, Assert.Single(received).Columns);
    }

    [Fact]
    public async Task Events_metrics_and_orders_go_to_their_methods()
    {
        var paths = new ConcurrentDictionary<string, int>();
        await using var server = await FrameServer.StartAsync(async context =>
        {
            var rows = context.Request.Path.Value switch
            {
                "/ingest.v1.IngestService/StreamEvents" =>
                    (await FrameServer.ReadAllAsync<StreamEventsRequest>(context)).Sum(r => r.Events.Count),
                "/ingest.v1.IngestService/StreamMetrics" =>
                    (await FrameServer.ReadAllAsync<StreamMetricsRequest>(context)).Sum(r => r.Samples.Count),
                "/ingest.v1.IngestService/StreamOrders" =>
                    (await FrameServer.ReadAllAsync<StreamOrdersRequest>(context)).Sum(r => r.Orders.Count),
                _ => -1,
            };
            paths[context.Request.Path.Value!] = rows;
            await FrameServer.AnswerAsync(context, new StreamEventsResponse { AcceptedCount = rows });
        });
        using var client = new IngestClient(server.Address);
        var properties = new Struct { Fields = { ["position"] = Value.ForNumber(2) } };

        Assert.Equal(1, await SendAsync(client.OpenEvents(), new Event { EventType = "a", Properties = properties }));
        Assert.Equal(1, await SendAsync(client.OpenMetrics(), new MetricSample { Metrics = { ["spend_usd"] = 1.5 } }));
        Assert.Equal(1, await SendAsync(client.OpenOrders(), new Order { OrderId = "o" }));
        Assert.Equal(3, paths.Count);

        static async Task<long> SendAsync<TRow>(IngestStream<TRow> stream, TRow row)
            where TRow : class, Google.Protobuf.IMessage<TRow>
        {
            await using (stream)
            {
                await stream.WriteAsync(row);
                return (await stream.CompleteAsync().WaitAsync(Patience)).AcceptedCount;
            }
        }
    }

    [Fact]
    public async Task A_batch_closes_at_its_row_limit_and_a_row_over_the_byte_limit_goes_alone()
    {
        List<StreamGpsPointsRequest> received = [];
        await using var server = await FrameServer.StartAsync(async context =>
        {
            received = await FrameServer.ReadAllAsync<StreamGpsPointsRequest>(context);
            await FrameServer.AnswerAsync(context, new StreamGpsPointsResponse());
        });
        using var client = new IngestClient(server.Address);
        await using var stream = client.OpenGpsPoints(new StreamOptions { MaxBatchRows = 3, MaxBatchBytes = 1000 });
        var large = Rows.Point(7);
        large.ZoneType = new string('z', 100_000);
        GpsPoint[] sent = [.. Enumerable.Range(0, 7).Select(Rows.Point), large, Rows.Point(8)];
        foreach (var point in sent)
        {
            await stream.WriteAsync(point);
        }
        await stream.CompleteAsync().WaitAsync(Patience);

        Assert.Equal([3, 3, 1, 1, 1], received.Select(request => request.Points.Count));
        Assert.Equal(sent, received.SelectMany(request => request.Points));
    }

    [Fact]
    public async Task A_row_that_lingers_is_sent_without_a_flush()
    {
        var arrived = new TaskCompletionSource();
        await using var server = await FrameServer.StartAsync(async context =>
        {
            await FrameServer.ReadAsync(context);
            arrived.SetResult();
            await FrameServer.ReadAsync(context);
        });
        using var client = new IngestClient(server.Address);
        await using var stream = client.OpenGpsPoints();
        await stream.WriteAsync(Rows.Point(1));
        await arrived.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task Without_linger_a_row_is_sent_at_once_and_flush_sends_one_that_would_linger()
    {
        var rows = 0;
        var arrived = new SemaphoreSlim(0);
        await using var server = await FrameServer.StartAsync(async context =>
        {
            while (await FrameServer.ReadAsync(context) is { } message)
            {
                Interlocked.Add(ref rows, StreamGpsPointsRequest.Parser.ParseFrom(message).Points.Count);
                arrived.Release();
            }
        });
        using var client = new IngestClient(server.Address);
        await using var prompt = client.OpenGpsPoints(new StreamOptions { Linger = TimeSpan.Zero });
        await prompt.WriteAsync(Rows.Point(1));
        Assert.True(await arrived.WaitAsync(Patience));
        await using var lazy = client.OpenGpsPoints(new StreamOptions { Linger = TimeSpan.FromMinutes(1) });
        await lazy.WriteAsync(Rows.Point(1));
        await lazy.WriteAsync(Rows.Point(2));
        await lazy.FlushAsync().WaitAsync(Patience);
        Assert.True(await arrived.WaitAsync(Patience));
        Assert.Equal(3, rows);
    }

    [Fact]
    public async Task Writers_wait_when_the_server_does_not_read_and_go_on_when_it_does()
    {
        var called = new TaskCompletionSource();
        var read = new TaskCompletionSource();
        var rows = 0L;
        await using var server = await FrameServer.StartAsync(async context =>
        {
            called.TrySetResult();
            await read.Task;
            var requests = await FrameServer.ReadAllAsync<StreamGpsPointsRequest>(context);
            rows = requests.Sum(request => request.Points.Count);
            await FrameServer.AnswerAsync(context, new StreamGpsPointsResponse { AcceptedCount = rows });
        });
        using var client = new IngestClient(server.Address);
        await using var stream = client.OpenGpsPoints(new StreamOptions { MaxBufferedBytes = 256 * 1024 });
        var point = Rows.Point(1);
        var waiting = stream.WriteAsync(point).AsTask();
        await called.Task.WaitAsync(Patience);
        await waiting;
        for (var i = 0; i < 200_000 && waiting.IsCompleted; i++)
        {
            waiting = stream.WriteAsync(point).AsTask();
            // A wait may be for a thread of this machine; one that outlasts this is for the server.
            await ((Task)waiting.WaitAsync(TimeSpan.FromSeconds(3)))
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
        Assert.False(waiting.IsCompleted);
        // Kestrel's windows and the connection's buffers take some; the rest would be 16 MB.
        Assert.InRange(stream.RowCount * point.CalculateSize(), 128 * 1024, 4 * 1024 * 1024);

        using var impatient = new CancellationTokenSource();
        var given = stream.WriteAsync(point, impatient.Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await given);

        read.SetResult();
        await waiting.WaitAsync(Patience);
        var result = await stream.CompleteAsync().WaitAsync(Patience);
        Assert.Equal(stream.RowCount, result.AcceptedCount);
        Assert.Equal(stream.RowCount, rows);
    }

    [Fact]
    public async Task Concurrent_writers_lose_nothing()
    {
        var seen = new HashSet<string>();
        await using var server = await FrameServer.StartAsync(async context =>
        {
            foreach (var request in await FrameServer.ReadAllAsync<StreamGpsPointsRequest>(context))
            {
                foreach (var point in request.Points)
                {
                    Assert.True(seen.Add(point.OrderId));
                }
            }
            await FrameServer.AnswerAsync(context, new StreamGpsPointsResponse { AcceptedCount = seen.Count });
        });
        using var client = new IngestClient(server.Address);
        await using var stream = client.OpenGpsPoints(
            new StreamOptions { MaxBatchRows = 7, MaxBufferedBytes = 10_000, Linger = TimeSpan.Zero });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 2000; i++)
            {
                await stream.WriteAsync(Rows.Point((writer * 2000) + i));
            }
        })));
        Assert.Equal(16_000, (await stream.CompleteAsync().WaitAsync(Patience)).AcceptedCount);
    }

    [Fact]
    public async Task Rejected_rows_are_told()
    {
        var error = new RowError { Row = 1, Field = "location.lat", Code = RowErrorCode.OutOfRange, Message = "NaN" };
        await using var server = await FrameServer.StartAsync(async context =>
        {
            await FrameServer.ReadAllAsync<StreamGpsPointsRequest>(context);
            await FrameServer.AnswerAsync(
                context, new StreamGpsPointsResponse { AcceptedCount = 1, RejectedCount = 1, Errors = { error } });
        });
        using var client = new IngestClient(server.Address);
        await using var stream = client.OpenGpsPoints();
        await stream.WriteAsync(Rows.Point(1));
        await stream.WriteAsync(new GpsPoint());
        var result = await stream.CompleteAsync().WaitAsync(Patience);
        Assert.Equal(1, result.RejectedCount);
        Assert.Equal([error], result.Errors);
    }

    [Fact]
    public async Task A_stream_of_no_rows_completes()
    {
        await using var server = await FrameServer.StartAsync(async context =>
        {
            Assert.Empty(await FrameServer.ReadAllAsync<StreamGpsPointsRequest>(context));
            await FrameServer.AnswerAsync(context, new StreamGpsPointsResponse());
        });
        using var client = new IngestClient(server.Address);
        await using var stream = client.OpenGpsPoints();
        Assert.Equal(0, (await stream.CompleteAsync().WaitAsync(Patience)).AcceptedCount);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.WriteAsync(Rows.Point(1)));
    }

    [Fact]
    public async Task Writing_allocates_nothing_per_row()
    {
        await using var server = await FrameServer.StartAsync(async context =>
        {
            while (await FrameServer.ReadAsync(context) is not null)
            {
            }
        });
        using var client = new IngestClient(server.Address);
        await using var stream = client.OpenGpsPoints(
            new StreamOptions { MaxBatchBytes = 8 << 20, MaxBatchRows = 500, Linger = TimeSpan.FromMinutes(1) });
        var point = Rows.Point(1);
        Write(1000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Write(10_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Write(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var written = stream.WriteAsync(point);
                Assert.True(written.IsCompletedSuccessfully);
            }
        }
    }
}
