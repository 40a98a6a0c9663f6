using System.Globalization;
using System.Text.Json;

namespace Ingest.EndToEnd.Tests;

/// <summary>Real traces and ad logs through the command line into ClickHouse: what SQL says is what the files hold.</summary>
[Collection(SharedServer.Collection)]
public sealed class RealDataTests(SharedServer shared)
{
    private const string Summary = "SELECT count(), uniqExact(driver_id), toUnixTimestamp(min(timestamp)), "
        + "toUnixTimestamp(max(timestamp)) FROM gps_points WHERE ";

    [SkippableFact]
    public async Task GeoLife_traces_agree()
    {
        string folder = Path.Combine(Data.Folder("geolife"), "plt");
        var rows = new List<(string Driver, long Time)>();
        foreach (string file in Directory.EnumerateFiles(folder, "*.plt", SearchOption.AllDirectories))
        {
            string driver = Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(file)))!;
            foreach (string line in File.ReadLines(file).Skip(6))
            {
                string[] fields = line.Split(',');
                rows.Add((driver, Unix(DateTime.Parse(
                    $"{fields[5]}T{fields[6]}Z", CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal))));
            }
        }

        await StreamAndCompareAsync(rows, "match(driver_id, '^0[0-9][0-9]$')", folder);
    }

    [SkippableFact]
    public async Task Cabspotting_traces_agree()
    {
        string folder = Data.Folder("cabspotting");
        string[] files = Directory.GetFiles(folder, "new_*.txt");
        var rows = new List<(string Driver, long Time)>();
        foreach (string file in files)
        {
            string driver = Path.GetFileNameWithoutExtension(file)["new_".Length..];
            rows.AddRange(File.ReadLines(file).Select(
                line => (driver, long.Parse(line.Split(' ')[3], CultureInfo.InvariantCulture))));
        }

        string drivers = string.Join(",", rows.Select(r => $"'{r.Driver}'").Distinct());
        await StreamAndCompareAsync(rows, $"driver_id IN ({drivers})", files);
    }

    [SkippableFact]
    public async Task Chengdu_trips_agree()
    {
        string file = Path.Combine(Data.Folder("chengdu-deeptte"), "test.jsonl");
        var rows = new List<(string Driver, long Time)>();
        foreach (string line in File.ReadLines(file))
        {
            using JsonDocument trip = JsonDocument.Parse(line);
            JsonElement root = trip.RootElement;
            // August 2014, day dateID of the month from 1, minute timeID of the day, at UTC+8.
            long start = Unix(new DateTime(2014, 8, 1, 0, 0, 0, DateTimeKind.Utc))
                + ((root.GetProperty("dateID").GetInt64() - 1) * 86_400) + (root.GetProperty("timeID").GetInt64() * 60)
                - (8 * 3600);
            string driver = root.GetProperty("driverID").GetRawText();
            rows.AddRange(root.GetProperty("time_gap").EnumerateArray().Select(
                gap => (driver, start + (long)gap.GetDouble())));
        }

        await StreamAndCompareAsync(rows, "timestamp >= '2014-07-01' AND timestamp < '2014-10-01'", file);
    }

    [SkippableFact]
    public async Task Ad_impressions_agree()
    {
        ServerProcess server = shared.Server();
        string file = Path.Combine(Data.Folder("obd-zozo"), "random_men.csv");
        string[] lines = [.. File.ReadLines(file).Skip(1)];
        int clicks = lines.Count(l => l.Split(',')[3] == "1");

        (int exitCode, _, string errors) = await Cli.RunAsync(server, "stream", "events", file);

        Assert.True(exitCode == 0, errors);
        await server.ExpectAsync(
            $"{lines.Length}\t{lines.Select(l => l.Split(',')[1]).Distinct().Count()}\t{clicks}",
            "SELECT count(), uniqExact(entity_id), countIf(properties['click'] = '1') FROM events");
    }

    private async Task StreamAndCompareAsync(
        List<(string Driver, long Time)> rows, string where, params string[] files)
    {
        ServerProcess server = shared.Server();

        (int exitCode, string output, string errors) = await Cli.RunAsync(server, ["stream", "gps", .. files]);

        Assert.True(exitCode == 0, output + errors);
        await server.ExpectAsync(
            $"{rows.Count}\t{rows.Select(r => r.Driver).Distinct().Count()}\t{rows.Min(r => r.Time)}\t{rows.Max(r => r.Time)}",
            Summary + where);
    }

    private static long Unix(DateTime time) => new DateTimeOffset(time, TimeSpan.Zero).ToUnixTimeSeconds();
}
