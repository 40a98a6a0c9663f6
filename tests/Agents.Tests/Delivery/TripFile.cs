using System.Globalization;
using System.Text.Json;
using Ingest.Agents.Delivery;

namespace Ingest.Agents.Tests.Delivery;

/// <summary>Real trips with their points, from the data that <c>INGEST_DATA</c> names, else beside the repository.</summary>
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
        var trips = new List<Trip>();
        foreach (string path in Directory.GetFiles(Require("cabspotting"), "new_*.txt").Order())
        {
            var run = new List<(GeoPoint Place, long At)>();
            foreach (string[] parts in File.ReadLines(path).Select(line => line.Split(' ')).OrderBy(parts => parts[3]))
            {
                long at = long.Parse(parts[3], CultureInfo.InvariantCulture);
                if (parts[2] == "0" || (run.Count > 0 && at - run[^1].At > 180))
                {
                    Add(trips, run);
                    run.Clear();
                }

                if (parts[2] == "1")
                {
                    run.Add((new GeoPoint(Number(parts[0]), Number(parts[1])), at));
                }
            }

            Add(trips, run);
        }

        return [.. trips.OrderBy(trip => trip.Start)];
    }

    private static void Add(List<Trip> trips, List<(GeoPoint Place, long At)> run)
    {
        if (run.Count >= 4 && run[^1].At - run[0].At is >= 120 and <= 5400 && run[0].Place.MetersTo(run[^1].Place) > 300)
        {
            trips.Add(new Trip(
                DateTimeOffset.FromUnixTimeSeconds(run[0].At).UtcDateTime,
                [.. run.Select(point => (point.Place, (double)(point.At - run[0].At)))]));
        }
    }

    private static double[] Numbers(JsonElement trip, string name) =>
        [.. trip.GetProperty(name).EnumerateArray().Select(value => value.GetDouble())];

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
