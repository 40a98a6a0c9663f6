using System.Text.Json;
using Ingest.Cli.Binding;
using Ingest.Cli.Input;
using Ingest.V1;

namespace Ingest.Cli.Tests.Input;

/// <summary>Public data sets, counted in another way.</summary>
public sealed class RealDataTests
{
    private static readonly string Folder = Environment.GetEnvironmentVariable("INGEST_DATA")
        ?? Path.GetFullPath(Path.Combine(RepositoryRoot(), "../shared/data"));

    [SkippableFact]
    public void Geolife()
    {
        Require("geolife");
        var plt = Read(Path.Combine(Folder, "geolife/plt"));
        Assert.Empty(plt.Faults);
        Assert.Equal(164_531, plt.Rows.Count);
        Assert.Equal(11, plt.Rows.Select(row => row.DriverId).Distinct().Count());
        Assert.All(plt.Rows, AssertValid);

        var sample = Read(Path.Combine(Folder, "geolife/geolife_sample.txt.gz"));
        Assert.Empty(sample.Faults);
        Assert.Equal(217_653, sample.Rows.Count);
    }

    [SkippableFact]
    public void Cabspotting()
    {
        Require("cabspotting");
        var cabs = Read(Path.Combine(Folder, "cabspotting"));
        Assert.Empty(cabs.Faults);
        Assert.Equal(110_714, cabs.Rows.Count);
        Assert.Equal(
            ["abboip", "aiwalb", "akgicjud", "ugthfu", "uvreoipy"],
            cabs.Rows.Select(row => row.DriverId).Distinct().Order());
        Assert.All(cabs.Rows, AssertValid);
    }

    [SkippableFact]
    public void Chengdu()
    {
        Require("chengdu-deeptte");
        var trips = Read(Path.Combine(Folder, "chengdu-deeptte/test.jsonl"));
        Assert.Empty(trips.Faults);
        var expected = 0;
        var last = DateTime.MinValue;
        foreach (var line in File.ReadLines(Path.Combine(Folder, "chengdu-deeptte/test.jsonl")))
        {
            using var json = JsonDocument.Parse(line);
            expected += json.RootElement.GetProperty("lats").GetArrayLength();
            // weekID is Monday 0: the month and the zone are right when it agrees for every trip.
            var day = new DateTime(2014, 8, json.RootElement.GetProperty("dateID").GetInt32());
            Assert.Equal(json.RootElement.GetProperty("weekID").GetInt32(), ((int)day.DayOfWeek + 6) % 7);
            last = day > last ? day : last;
        }
        Assert.Equal(expected, trips.Rows.Count);
        Assert.Equal(50_037, trips.Rows.Count);
        Assert.All(trips.Rows, AssertValid);
        Assert.InRange(trips.Rows.Max(row => row.Timestamp.ToDateTime()), last.AddHours(-8), last.AddHours(24));
    }

    [SkippableFact]
    public void Ad_log_taxi_trips_and_rappi_orders()
    {
        Require("obd-zozo");
        Assert.Equal(40_000, Read(Path.Combine(Folder, "obd-zozo"), options => new EventBinder(options)).Rows.Count);
        var taxi = Read(Path.Combine(Folder, "nyc-taxi"), options => new OrderBinder(options with
        {
            Map = new Dictionary<string, string> { ["pickup_time"] = "placed_at" },
        }));
        Assert.Empty(taxi.Faults);
        Assert.Equal(10_000, taxi.Rows.Count);
        Assert.Equal(10_000, taxi.Rows.Select(row => row.OrderId).Distinct().Count());

        foreach (var file in Directory.GetFiles(Path.Combine(Folder, "mdrp-rappi"), "orders.csv", SearchOption.AllDirectories))
        {
            var orders = Read(file, options => new OrderBinder(options with { Date = new DateOnly(2019, 6, 1) }));
            Assert.Empty(orders.Faults);
            Assert.Equal(File.ReadLines(file).Count() - 1, orders.Rows.Count);
        }
    }

    private static (List<GpsPoint> Rows, List<string> Faults) Read(string path) =>
        Read(path, options => new GpsPointBinder(options));

    private static (List<TRow> Rows, List<string> Faults) Read<TRow>(
        string path, Func<BindingOptions, RowBinder<TRow>> binder)
        where TRow : class, Google.Protobuf.IMessage<TRow>
    {
        var all = (Rows: new List<TRow>(), Faults: new List<string>());
        foreach (var file in InputFile.Expand([path]))
        {
            // Notes of where the data are from, and GeoLife's labels.
            if (Path.GetFileName(file.Path) is "SOURCE.txt" or "labels.txt")
            {
                continue;
            }
            using var bytes = new MemoryStream();
            using (var stream = file.Open(_ => { }))
            {
                stream.CopyTo(bytes);
            }
            var options = new BindingOptions { Driver = file.Driver, Stem = file.Stem };
            var (rows, faults) = Reading.All(bytes.ToArray(), binder(options), format: null);
            all.Rows.AddRange(rows);
            all.Faults.AddRange(faults);
        }
        return all;
    }

    private static void AssertValid(GpsPoint row)
    {
        Assert.NotEmpty(row.DriverId);
        Assert.InRange(row.Location.Lat, -90, 90);
        Assert.InRange(row.Location.Lon, -180, 180);
        Assert.InRange(row.Timestamp.Seconds, 946684800, 1_800_000_000);
    }

    private static void Require(string set) =>
        Skip.IfNot(Directory.Exists(Path.Combine(Folder, set)), $"There is no data at {Folder}; INGEST_DATA names it.");

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Ingest.sln")))
        {
            folder = folder.Parent;
        }
        return folder?.FullName ?? AppContext.BaseDirectory;
    }
}
