using System.Text.Json;

namespace Ingest.EndToEnd.Tests;

/// <summary>`ingest log` beside a running server, on a stopped one, and on one whose disk rotted.</summary>
public sealed class LogToolTests
{
    private static readonly string[] s_settings = ["Store:Kind=null", "Log:SegmentAge=01:00:00", "Log:MaxSegmentAge=01:00:00"];

    [Fact]
    public async Task The_log_is_looked_at_verified_repaired_and_given_back()
    {
        ServerProcess server = await ServerProcess.StartAsync(null, s_settings);
        string[] data = ["--data", server.DataDirectory];
        await using (AppendCall call = await AppendCall.OpenAsync(server.GrpcAddress, "van"))
        {
            for (int i = 0; i < 5; i++)
            {
                call.SendPoints(i * 100, 100);
                await call.DurableAsync((i + 1) * 100);
            }

            // Beside the server, which goes on writing.
            JsonElement live = await InspectAsync(server, data);
            Assert.True(live.GetProperty("isInUse").GetBoolean());
            Assert.Equal(500, Table(live, "gps_points").GetProperty("rows").GetInt64());
            Assert.Equal((0, true), await VerifyAsync(server, data));
            (int code, _, string errors) = await Cli.RunAsync(server, ["log", "repair", .. data]);
            Assert.Equal(2, code);
            Assert.Contains("is in use by process", errors, StringComparison.Ordinal);
            call.SendPoints(500, 100);
            await call.DurableAsync(600);
        }

        await server.KillAsync();
        JsonElement dead = await InspectAsync(server, data);
        Assert.False(dead.GetProperty("isInUse").GetBoolean());
        JsonElement producer = Assert.Single(Table(dead, "gps_points").GetProperty("producers").EnumerateArray());
        Assert.Equal(("van", 600), (producer.GetProperty("id").GetString(), producer.GetProperty("durableOffset").GetInt64()));
        Assert.Equal((0, true), await VerifyAsync(server, data));

        // A rotten index record in the middle: its block is good, but nothing vouches for it.
        string index = Directory.GetFiles(Path.Combine(server.DataDirectory, "log", "gps_points"), "*.index").Single();
        byte[] bytes = await File.ReadAllBytesAsync(index);
        int second = Find(bytes, Find(bytes, 0) + 4);
        bytes[second + 25] ^= 1;
        await File.WriteAllBytesAsync(index, bytes);
        Assert.Equal((1, false), await VerifyAsync(server, data));
        (int dry, string said, _) = await Cli.RunAsync(server, ["log", "repair", "--dry-run", .. data]);
        Assert.Equal(0, dry);
        Assert.Contains("would set aside 1 damaged pieces", said, StringComparison.Ordinal);
        Assert.Equal((1, false), await VerifyAsync(server, data));
        Assert.Equal(0, (await Cli.RunAsync(server, ["log", "repair", .. data])).ExitCode);
        Assert.Equal((0, true), await VerifyAsync(server, data));
        Assert.Equal(500, Table(await InspectAsync(server, data), "gps_points").GetProperty("rows").GetInt64());

        (_, string list, _) = await Cli.RunAsync(server, ["log", "quarantine", "list", "--json", .. data]);
        string piece = JsonDocument.Parse(list).RootElement[0].GetProperty("name").GetString()!;
        (int shown, string show, _) = await Cli.RunAsync(server, ["log", "quarantine", "show", piece, "--rows", "1", .. data]);
        Assert.Equal(0, shown);
        Assert.Contains("  order_id = 100", show, StringComparison.Ordinal);
        Assert.Equal(1, (await Cli.RunAsync(server, ["log", "quarantine", "restore", piece, .. data])).ExitCode);
        (int restored, string rows, _) = await Cli.RunAsync(server, ["log", "quarantine", "restore", piece, "--unverified", .. data]);
        Assert.Equal(0, restored);
        Assert.StartsWith("100 rows are in segment ", rows, StringComparison.Ordinal);
        Assert.Equal(2, (await Cli.RunAsync(server, ["log", "quarantine", "restore", piece, "--unverified", .. data])).ExitCode);
        Assert.Equal(600, Table(await InspectAsync(server, data), "gps_points").GetProperty("rows").GetInt64());
        await server.DisposeAsync();
    }

    [SkippableFact]
    public async Task What_was_given_back_lands_once()
    {
        Engine.Require();
        ServerProcess server = await ServerProcess.StartAsync(null, s_settings);
        await using (AppendCall call = await AppendCall.OpenAsync(server.GrpcAddress, "van"))
        {
            for (int i = 0; i < 3; i++)
            {
                call.SendPoints(i * 100, 100);
                await call.DurableAsync((i + 1) * 100);
            }
        }

        await server.KillAsync();
        string index = Directory.GetFiles(Path.Combine(server.DataDirectory, "log", "gps_points"), "*.index").Single();
        byte[] bytes = await File.ReadAllBytesAsync(index);
        bytes[Find(bytes, Find(bytes, 0) + 4) + 25] ^= 1;
        await File.WriteAllBytesAsync(index, bytes);

        ServerProcess second = await ServerProcess.StartAsync(server.DataDirectory);
        await second.ExpectAsync("200", "SELECT count() FROM gps_points");
        Assert.Equal(0, await second.StopAsync());
        string piece = Path.GetFileNameWithoutExtension(
            Directory.GetFiles(Path.Combine(server.DataDirectory, "quarantine"), "*.native").Single());
        Assert.Equal(
            0,
            (await Cli.RunAsync(second, "log", "quarantine", "restore", piece, "--unverified", "--data", server.DataDirectory)).ExitCode);
        await using ServerProcess third = await ServerProcess.StartAsync(server.DataDirectory);
        await third.ExpectAsync("300\t300\t2", "SELECT count(), uniqExact(order_id), uniqExact(segment_id) FROM gps_points");
    }

    private static async Task<JsonElement> InspectAsync(ServerProcess server, string[] data)
    {
        (int code, string output, string errors) = await Cli.RunAsync(server, ["log", "inspect", "--json", .. data]);
        Assert.True(code == 0, errors);
        return JsonDocument.Parse(output).RootElement;
    }

    private static async Task<(int ExitCode, bool IsGood)> VerifyAsync(ServerProcess server, string[] data)
    {
        (int code, string output, _) = await Cli.RunAsync(server, ["log", "verify", .. data]);
        return (code, output.TrimEnd().EndsWith("all good", StringComparison.Ordinal));
    }

    private static JsonElement Table(JsonElement log, string name) =>
        log.GetProperty("tables").EnumerateArray().Single(table => table.GetProperty("name").GetString() == name);

    private static int Find(byte[] bytes, int from) => from + bytes.AsSpan(from).IndexOf("BLK\u0001"u8);
}
