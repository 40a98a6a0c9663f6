using System.Globalization;
using System.Text.Json;
using Ingest.Agents.Delivery;

namespace Ingest.Agents.Tests.Delivery;

/// <summary>
/// Real trips with their points, from the data that <c>INGEST_DATA</c> names, else beside the repository.
/// </summary>
internal static class TripFile
{
    /// <summary>The directory of a data set; skips the test when it is not there.</summary>
    public static string Require(string name)
    {
        string data = Environment.GetEnvironmentVariable("INGEST_DATA") ?? Path.Combine(Repository(), "../shared/data");
        string folder = Path.Combine(data, name);
        Skip.IfNot(Directory.Exists(folder), $"{folder} is not there; INGEST_DATA names the folder of the data sets");
        return folder;
    }

    private static string Repository()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Ingest.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("not below the repository");
    }

    /// <summary>Taxi trips in Chengdu, in the order of their time; at most the first 1,400.</summary>
    public static IReadOnlyList<Trip> Chengdu()
    {
        var trips = new List<Trip>();
        foreach (string line in File.ReadLines(Path.Combine(Require("chengdu-deeptte"), "test.jsonl")))
        {
            using JsonDocument json = JsonDocument.Parse(line);
            JsonElement trip = json.RootElement;
            double[] lats = Numbers(trip, "lats");
            double[] lons = Numbers(trip, "lngs");
            double[] seconds = Numbers(trip, "time_gap");
            DateTime start = new DateTime(2014, 8, 1, 0, 0, 0, DateTimeKind.Utc)
                .AddDays(trip.GetProperty("dateID").GetInt32()).AddMinutes(trip.GetProperty("timeID").GetInt32());
            trips.Add(new Trip(start, [.. lats.Select((lat, i) => (new GeoPoint(lat, lons[i]), seconds[i]))]));
        }

        return [.. trips.OrderBy(trip => trip.Start)];
    }

    /// <summary>Rides of cabs in San Francisco: occupied runs, as the data's README cuts them.</summary>
    public static IReadOnlyList<Trip> Cabs()
    {
        IEnumerable<Trip> rides = CabFiles()
            .SelectMany(RunsOf).Where(run => run.IsOccupied).Select(run => TripOf(run.Points, 5400)).OfType<Trip>();
        return [.. rides.OrderBy(trip => trip.Start)];
    }

    /// <summary>
    /// Ways of cabs to a passenger and on with that one: an empty run that goes somewhere, at most twice as long as the
    /// straight line, and the occupied run behind it.
    /// </summary>
    public static IReadOnlyList<(Trip ToPickup, Trip ToDropoff)> Fares()
    {
        var fares = new List<(Trip ToPickup, Trip ToDropoff)>();
        foreach (string path in CabFiles())
        {
            List<(bool IsOccupied, List<(GeoPoint Place, long At)> Points)> runs = RunsOf(path);
            foreach ((var empty, var occupied) in runs.Zip(runs.Skip(1)))
            {
                if (empty.IsOccupied || !occupied.IsOccupied || occupied.Points[0].At - empty.Points[^1].At > 180)
                {
                    continue;
                }

                List<(GeoPoint Place, long At)> way = [.. empty.Points, occupied.Points[0]];
                double length = way.Zip(way.Skip(1)).Sum(pair => pair.First.Place.MetersTo(pair.Second.Place));
                if (length < 2 * way[0].Place.MetersTo(way[^1].Place)
                    && TripOf(way, 2400) is { } toPickup && TripOf(occupied.Points, 5400) is { } toDropoff)
                {
                    fares.Add((toPickup, toDropoff));
                }
            }
        }

        return [.. fares.OrderBy(fare => fare.ToPickup.Start)];
    }

    /// <summary>
    /// Orders of a city in Colombia: the restaurant, which is its place, and the minutes from placing to being ready.
    /// </summary>
    public static IReadOnlyList<(string Restaurant, double Minutes)> Preparations() =>
    [
        .. File.ReadLines(Path.Combine(Require("mdrp-rappi"), "1", "orders.csv")).Skip(1)
            .Select(line => line.Split(','))
            .Select(parts => ($"{parts[1]},{parts[2]}", (TimeOf(parts[7]) - TimeOf(parts[5])).TotalMinutes))
            .Where(order => order.TotalMinutes is > 0 and < 120),
    ];

    private static TimeSpan TimeOf(string text) => TimeSpan.Parse(text, CultureInfo.InvariantCulture);

    private static IEnumerable<string> CabFiles() => Directory.GetFiles(Require("cabspotting"), "new_*.txt").Order();

    // Points of one cab, cut where a passenger gets in or out, and where nothing was heard for three minutes.
    private static List<(bool IsOccupied, List<(GeoPoint Place, long At)> Points)> RunsOf(string path)
    {
        var runs = new List<(bool IsOccupied, List<(GeoPoint Place, long At)> Points)>();
        foreach (string[] parts in File.ReadLines(path).Select(line => line.Split(' ')).OrderBy(parts => parts[3]))
        {
            bool isOccupied = parts[2] == "1";
            long at = long.Parse(parts[3], CultureInfo.InvariantCulture);
            if (runs.Count == 0 || runs[^1].IsOccupied != isOccupied || at - runs[^1].Points[^1].At > 180)
            {
                runs.Add((isOccupied, []));
            }

            runs[^1].Points.Add((new GeoPoint(Number(parts[0]), Number(parts[1])), at));
        }

        return runs;
    }

    private static Trip? TripOf(List<(GeoPoint Place, long At)> run, long mostSeconds) =>
        run.Count >= 4 && run[^1].At - run[0].At is var seconds && seconds >= 120 && seconds <= mostSeconds
            && run[0].Place.MetersTo(run[^1].Place) > 300
            ? new Trip(
                DateTimeOffset.FromUnixTimeSeconds(run[0].At).UtcDateTime,
                [.. run.Select(point => (point.Place, (double)(point.At - run[0].At)))])
            : null;

    private static double[] Numbers(JsonElement trip, string name) =>
        [.. trip.GetProperty(name).EnumerateArray().Select(value => value.GetDouble())];

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
