using System.Collections.Concurrent;
using System.Diagnostics;
using Ingest.V1;
using static Ingest.EndToEnd.Tests.PointFrames;

namespace Ingest.EndToEnd.Tests;

/// <summary>kill -9: what was acknowledged is there once.</summary>
public sealed class KillTests
{
    private const int Kills = 5;
    private const int RowsPerStream = 200;
    private const int Senders = 8;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [SkippableFact]
    public async Task Every_acknowledged_row_is_there_once_after_kills_in_mid_stream()
    {
        Engine.Require();
        ServerProcess server = await ServerProcess.StartAsync();
        var acknowledged = new ConcurrentQueue<int>();
        int next = 0;
        var random = new Random(7);
        for (int kill = 0; kill < Kills; kill++)
        {
            ServerProcess current = server;
            int before = acknowledged.Count;
            Task[] senders = [.. Enumerable.Range(0, Senders).Select(
                _ => SendAsync(current, () => Interlocked.Increment(ref next), acknowledged))];
            int enough = before + random.Next(1, 60);
            var clock = Stopwatch.StartNew();
            while (acknowledged.Count < enough)
            {
                Assert.True(clock.Elapsed < s_patience, "no stream was acknowledged");
                await Task.Delay(random.Next(1, 20));
            }

            await server.KillAsync();
            await Task.WhenAll(senders);
            server = await ServerProcess.StartAsync(server.DataDirectory);
        }

        await using (server)
        {
            await ExpectOnceAsync(server, [.. acknowledged]);
        }
    }

    // Streams of fixed size, one after the other; a stream counts when it was answered.
    private static async Task SendAsync(ServerProcess server, Func<int> nextStream, ConcurrentQueue<int> acknowledged)
    {
        while (true)
        {
            int stream = nextStream();
            var request = new StreamGpsPointsRequest();
            for (int i = 0; i < RowsPerStream; i++)
            {
                request.Points.Add(Point((stream * RowsPerStream) + i, "kill"));
            }

            try
            {
                RawCall.Answer answer = await RawCall.SendAsync(
                    server.GrpcAddress, "StreamGpsPoints", Frame(request));
                if (answer.Status == 0
                    && answer.Response(StreamGpsPointsResponse.Parser).AcceptedCount == RowsPerStream)
                {
                    acknowledged.Enqueue(stream);
                }
            }
            catch (Exception error) when (error is HttpRequestException or IOException or KeyNotFoundException)
            {
                // Killed: nothing was promised.
                return;
            }
        }
    }

    private static async Task ExpectOnceAsync(ServerProcess server, List<int> streams)
    {
        string list = string.Join(",", streams);
        string rows = $"{streams.Count * RowsPerStream}";
        await server.ExpectAsync(
            $"{rows}\t{rows}",
            "SELECT count(), uniqExact(order_id) FROM gps_points "
            + $"WHERE intDiv(toUInt32(order_id), {RowsPerStream}) IN ({list})", seconds: 60);

        // A stream that was cut off may be there in part, but none of its rows twice.
        string[] all = (await server.QueryAsync("SELECT count(), uniqExact(order_id) FROM gps_points")).Split('\t');
        Assert.Equal(all[0], all[1]);
    }
}
