using System.Globalization;
using System.Text.Json;
using Ingest.Stores;
using Ingest.Stores.Embedded;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests;

/// <summary>
/// A row that the store refuses: the server process with its engine, an operator who adds a constraint, the command line.
/// </summary>
public sealed class PoisonTests
{
    private const int Count = 10_000;
    private const int Bad = 5_000;
    private const string OneSegment = "Log:SegmentAge=00:00:01";

    [SkippableFact]
    public async Task One_bad_row_among_ten_thousand_is_told_apart_and_can_be_sent_again()
    {
        Engine.Require();
        ServerProcess first = await StartWithTableAsync();
        await OperateAsync(first, "ALTER TABLE gps_points ADD CONSTRAINT slow CHECK speed_kph < 100");
        ServerProcess second = await ServerProcess.StartAsync(first.DataDirectory, OneSegment);
        await SendAsync(second, Count, Bad);

        await second.ExpectAsync($"{Count}\t{Count}\t{Sum(Count) - Bad}", Summary, 120);
        await second.ExpectAsync(
            $"van\t{Bad}\t1", "SELECT producer_id, producer_offset, startsWith(reason, 'REFUSED_BY_STORE: Code: 469.') FROM dead_letters");
        (int code, string output, string errors) = await Cli.RunAsync(second, "dead-letters", "list", "--json");
        Assert.True(code == 0, errors);
        string id = JsonDocument.Parse(output).RootElement[0].GetProperty("id").GetString()!;
        (code, output, _) = await Cli.RunAsync(second, "dead-letters", "show", id[..8]);
        Assert.Equal(0, code);
        Assert.Contains("producer  van", output, StringComparison.Ordinal);
        Assert.Contains($"offset    {Bad}", output, StringComparison.Ordinal);
        Assert.Contains($"\"orderId\": \"{Bad}\"", output, StringComparison.Ordinal);
        Assert.Equal(0, await second.StopAsync());

        await OperateAsync(second, "ALTER TABLE gps_points DROP CONSTRAINT slow");
        await using ServerProcess third = await ServerProcess.StartAsync(first.DataDirectory, OneSegment);
        (code, output, errors) = await Cli.RunAsync(third, "dead-letters", "replay", "--table", "gps_points");
        Assert.True(code == 0, errors);
        Assert.Contains($"{id} gps_points: replayed\n", output, StringComparison.Ordinal);
        (code, output, _) = await Cli.RunAsync(third, "dead-letters", "replay", "--table", "gps_points");
        Assert.Equal(0, code);
        Assert.Contains($"{id} gps_points: replayed before\n", output, StringComparison.Ordinal);
        await third.ExpectAsync($"{Count + 1}\t{Count + 1}\t{Sum(Count)}", Summary);
        await third.ExpectAsync($"dead-letter-{id}", $"SELECT producer_id FROM gps_points WHERE order_id = '{Bad}'");
    }

    [SkippableFact]
    public async Task A_server_that_is_killed_in_the_middle_of_the_search_goes_on_with_it()
    {
        Engine.Require();
        ServerProcess server = await StartWithTableAsync();
        await OperateAsync(server, "ALTER TABLE gps_points ADD CONSTRAINT slow CHECK speed_kph < 100");
        string log = Path.Combine(server.DataDirectory, "log", "gps_points");
        server = await ServerProcess.StartAsync(server.DataDirectory, OneSegment);
        await SendAsync(server, Count, 17, Bad, Count - 1);
        for (int kills = 1; kills <= 3; kills++)
        {
            // So many pieces have been tried: the search is under way.
            int pieces = kills * 6;
            await UntilAsync(() => Pieces(log) >= pieces);
            await server.KillAsync();
            Assert.True(Pieces(log) >= pieces, "the search had ended before the kill");
            server = await ServerProcess.StartAsync(server.DataDirectory, OneSegment);
        }

        await using ServerProcess last = server;
        int[] bad = [17, Bad, Count - 1];
        await last.ExpectAsync($"{Count - 2}\t{Count - 2}\t{Sum(Count) - bad.Sum()}", Summary, 120);
        await last.ExpectAsync(
            "[17,5000,9999]", "SELECT groupArray(producer_offset) FROM (SELECT producer_offset FROM dead_letters ORDER BY producer_offset)");
        await UntilAsync(() => Directory.GetFiles(log, "*.pieces").Length == 0);
        Assert.False(Directory.Exists(Path.Combine(last.DataDirectory, "quarantine")));
    }

    private static string Summary => "SELECT count(), uniqExact(order_id), sum(toUInt64OrZero(order_id)) FROM gps_points";

    private static long Sum(int count) => (long)count * (count - 1) / 2;

    private static async Task<ServerProcess> StartWithTableAsync()
    {
        ServerProcess server = await ServerProcess.StartAsync();
        await using (AppendCall call = await AppendCall.OpenAsync(server.GrpcAddress, "first"))
        {
            GpsPoint point = PointFrames.Point(0, "first");
            point.OrderId = "first";
            call.Send(AppendCall.Points(0, [point]));
            await call.DurableAsync(1);
        }

        await server.ExpectAsync("1", "SELECT count() FROM gps_points");
        Assert.Equal(0, await server.StopAsync());
        return server;
    }

    // One segment: what is received within a second.
    private static async Task SendAsync(ServerProcess server, int count, params int[] bad)
    {
        await using AppendCall call = await AppendCall.OpenAsync(server.GrpcAddress, "van");
        for (int offset = 0; offset < count; offset += 1000)
        {
            call.Send(AppendCall.Points(offset, Enumerable.Range(offset, 1000).Select(number =>
            {
                GpsPoint point = PointFrames.Point(number, "driver");
                point.SpeedKph = bad.Contains(number) ? 150 : 50;
                return point;
            })));
        }

        await call.DurableAsync(count);
    }

    /// <summary>Runs a statement in the engine of a server that has ended.</summary>
    private static async Task OperateAsync(ServerProcess ended, string statement)
    {
        string path = Path.Combine(ended.DataDirectory, "store");
        await using EmbeddedStore store = await EmbeddedStore.OpenAsync(path, new StoreOptions());
        using EngineConnection connection = EngineConnection.Open([$"--path={path}"]);
        connection.Run(statement).Dispose();
    }

    private static int Pieces(string log) => Directory.GetFiles(log, "*.pieces")
        .Sum(file => File.ReadAllText(file).Count(c => c == '\n'));

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (!condition())
        {
            await Task.Delay(1, limit.Token);
        }
    }
}
