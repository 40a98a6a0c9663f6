using Google.Protobuf;
using Ingest.V1;
using Xunit.Abstractions;

namespace Ingest.EndToEnd.Tests.Overload;

/// <summary>
/// Streams by the thousand: 1,000 idle and 100 slow ones; 10,000 and 1,000 when INGEST_CHAOS is "long". And clients
/// that never read.
/// </summary>
[Trait("Category", "Chaos")]
[Collection("alone")]
public sealed class ManyStreamsTests(ITestOutputHelper output)
{
    private const string Append = "/ingest.v1.IngestService/Append";

    private static readonly bool s_long = Environment.GetEnvironmentVariable("INGEST_CHAOS") == "long";
    private static readonly int s_idle = s_long ? 10_000 : 1000;
    private static readonly int s_slow = s_idle / 10;

    [Fact]
    public async Task Idle_and_slow_streams_cost_little_and_all_are_served_beside_full_load()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(null, "Store:Kind=null");
        var connections = new List<Http2Connection>();
        try
        {
            LoadReport alone = await LoadAsync(server, "alone");
            long before = ServerMemory.Read(server.ProcessId);
            List<Http2Stream> idle = await OpenAsync(server, connections, s_idle);
            long held = ServerMemory.Read(server.ProcessId) - before;
            output.WriteLine($"{s_idle} idle streams: {held / 1024.0 / s_idle:0.0} KiB each");
            Assert.InRange(held / s_idle, long.MinValue, 64 * 1024);

            List<Http2Stream> slow = await OpenAsync(server, connections, s_slow);
            Task<LoadReport> loading = LoadAsync(server, "beside");
            for (int round = 0; round < 3; round++)
            {
                // One row a stream at a time; each is waited for, whatever the load beside it.
                byte[] row = PointFrames.Frame(AppendCall.Points(0, [PointFrames.Point(round, "slow")]));
                foreach (Http2Stream stream in slow)
                {
                    await stream.SendAsync(row);
                }

                foreach (Http2Stream stream in slow)
                {
                    await DurableAsync(stream, round + 1);
                }
            }

            LoadReport beside = await loading;
            output.WriteLine($"alone                                  {alone}");
            output.WriteLine($"beside {s_idle} idle, {s_slow} slow {beside}");
            Assert.True(beside.RowsPerSecond > 0);
            Assert.Empty(beside.Ended);
            Assert.All(idle.Concat(slow), stream => Assert.False(stream.HasEnded, stream.Text));
        }
        finally
        {
            foreach (Http2Connection connection in connections)
            {
                await connection.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task Clients_that_never_read_are_slowed_then_ended_and_memory_stays_flat()
    {
        const int Clients = 20;
        const int RowsPerRequest = 1000;
        await using ServerProcess server = await ServerProcess.StartAsync(
            null, "Store:Kind=null", "Append:UnreadTimeout=00:00:02");
        await LoadAsync(server, "warm-up");
        long before = ServerMemory.Read(server.ProcessId);
        await using var memory = new ServerMemory(server.ProcessId);

        // Every row is rejected, and each rejection wants to be told; nobody listens.
        byte[] bad = PointFrames.Frame(AppendCall.Points(0, Enumerable.Repeat(new GpsPoint(), RowsPerRequest)));
        long[] sent = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => FloodAsync(server, bad)));
        long most = memory.MostBytes - before;
        output.WriteLine(
            $"{Clients} clients that never read: ended after {sent.Average():0} requests each, "
            + $"{most >> 20} MiB more memory");

        // What the windows of their connections let them send, and as much for the server's own work.
        Assert.InRange(most, long.MinValue, 2L * Clients * (8 << 20));
        Assert.InRange(sent.Max(), 1, 20_000);

        // And others are served as before.
        LoadReport after = await LoadAsync(server, "after");
        Assert.Empty(after.Ended);
        Assert.True(after.RowsPerSecond > 0);
    }

    // Gives the requests sent until the server ended the session.
    private static async Task<long> FloodAsync(ServerProcess server, byte[] request)
    {
        await using Http2Connection connection = await Http2Connection.ConnectAsync(server.GrpcAddress, window: 0);
        Http2Stream stream = await connection.OpenAsync(Append);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        long sent = 0;
        try
        {
            await stream.SendAsync(Open());
            while (sent < 1_000_000)
            {
                await stream.SendAsync(request).WaitAsync(patience.Token);
                sent++;
            }

            return sent;
        }
        catch (IOException)
        {
            return sent;
        }
    }

    private static Task<LoadReport> LoadAsync(ServerProcess server, string name) => LoadProcess.StartAsync(
        new LoadOptions(server.GrpcAddress, name, OverloadTests.PhaseSeconds, 2, 2, 0, 500));

    private static async Task<List<Http2Stream>> OpenAsync(
        ServerProcess server, List<Http2Connection> connections, int count)
    {
        const int PerConnection = 1000;
        var streams = new List<Http2Stream>();
        while (streams.Count < count)
        {
            Http2Connection connection = await Http2Connection.ConnectAsync(server.GrpcAddress);
            connections.Add(connection);
            for (int i = 0; i < PerConnection && streams.Count < count; i++)
            {
                Http2Stream stream = await connection.OpenAsync(Append);
                await stream.SendAsync(Open());
                streams.Add(stream);
            }
        }

        foreach (Http2Stream stream in streams)
        {
            Assert.NotNull((await ReadAsync(stream)).Opened);
        }

        return streams;
    }

    private static byte[] Open() => PointFrames.Frame(
        new AppendRequest { Open = new AppendOpen { Table = "gps_points" } });

    private static async Task DurableAsync(Http2Stream stream, long offset)
    {
        while ((await ReadAsync(stream)).Ack is not { } ack || ack.DurableOffset < offset)
        {
        }
    }

    private static async Task<AppendResponse> ReadAsync(Http2Stream stream)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return AppendResponse.Parser.ParseFrom(await stream.Messages.ReadAsync(patience.Token));
    }
}
