using Ingest.Cli.Binding;
using Ingest.Cli.Input;
using Ingest.V1;

namespace Ingest.Cli.Tests.Input;

public sealed class GpsFormatTests
{
    [Fact]
    public void Csv_columns_are_found_by_many_names()
    {
        var (rows, faults) = Reading.Points(
            """
            uid,Latitude,lng,datetime,Speed_kph,tripStage,zone,anomaly_flags,altitude
            7,39.5,116.25,2008-10-23 05:53:05.25,12.5,to_pickup,"a ""b"", c",gps_jump|speeding,492
            """);
        Assert.Empty(faults);
        var row = Assert.Single(rows);
        Assert.Equal("7", row.DriverId);
        Assert.Equal((39.5, 116.25, 12.5f), (row.Location.Lat, row.Location.Lon, row.SpeedKph));
        Assert.Equal("2008-10-23T05:53:05.250000", Reading.Time(row.Timestamp));
        Assert.Equal(TripStage.ToPickup, row.TripStage);
        Assert.Equal("a \"b\", c", row.ZoneType);
        Assert.Equal(["gps_jump", "speeding"], row.AnomalyFlags);
    }

    [Fact]
    public void Semicolons_and_tabs_are_found_by_the_header()
    {
        Assert.Equal("d", Reading.Points("driver;lat;lon;ts\nd;1;2;1211033530").Rows.Single().DriverId);
        Assert.Equal("d", Reading.Points("driver\tlat\tlon\tts\nd\t1\t2\t1211033530").Rows.Single().DriverId);
    }

    [Fact]
    public void Bad_records_are_named_by_line_and_the_others_go_on()
    {
        var (rows, faults) = Reading.Points(
            "driver,lat,lon,time\n"
            + "a,1,2,2020-01-01T00:00:00Z\n"
            + "b,north,2,2020-01-01T00:00:00Z\n"
            + "c,1,2\n"
            + "d,1,2,2020-13-01\n"
            + "e,1,2,2020-01-01,x\n"
            + "\n"
            + "\"f,1,2,2020-01-01\n"
            + "g,1,NaN,2020-01-01\n"
            + "h,1,2,2020-01-01");
        Assert.Equal(["a", "h"], rows.Select(row => row.DriverId));
        Assert.Equal(
            [
                "3: location.lat cannot be 'north'", "4: 3 columns where 4 are due",
                "5: timestamp cannot be '2020-13-01'", "6: 5 columns where 4 are due", "8: a quote is not closed",
                "9: location.lon cannot be 'NaN'",
            ],
            faults);
    }

    [Fact]
    public void A_mapping_comes_before_names_and_a_constant_before_the_file()
    {
        var options = new BindingOptions
        {
            Map = new Dictionary<string, string> { ["when"] = "timestamp", ["lat"] = "location.lon", ["y"] = "location.lat" },
            Constants = [new("zone_type", "downtown"), new("driver_id", "me")],
        };
        var row = Reading.Points("driver,y,lat,time,when,zone\na,1,2,1,1211033530,x", options).Rows.Single();
        Assert.Equal((1.0, 2.0), (row.Location.Lat, row.Location.Lon));
        Assert.Equal(1211033530, row.Timestamp.Seconds);
        Assert.Equal(("me", "downtown"), (row.DriverId, row.ZoneType));
    }

    [Fact]
    public void A_mapping_to_no_field_and_a_file_without_coordinates_are_refused_in_words()
    {
        var options = new BindingOptions { Map = new Dictionary<string, string> { ["a"] = "altitude" } };
        Assert.StartsWith(
            "There is no field altitude. Fields are driver_id,",
            Assert.Throws<UsageException>(() => Reading.Points("a,lat,lon,time\n", options)).Message,
            StringComparison.Ordinal);
        Assert.Equal(
            "no columns for location.lat and location.lon",
            Assert.Throws<UsageException>(() => Reading.Points("a,b\n1,2")).Message);
        Assert.Equal(
            "no column for timestamp",
            Assert.Throws<UsageException>(() => Reading.Points("lat,lon\n1,2")).Message);
        Assert.StartsWith(
            "the format is not known",
            Assert.Throws<UsageException>(() => Reading.Points("hello world")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ndjson_has_the_messages_names_or_flat_columns()
    {
        var (rows, faults) = Reading.Points(
            """
            {"driverId":"a","location":{"lat":1.5,"lon":-2},"speedKph":30,"tripStage":"TRIP_STAGE_AT_PICKUP","timestamp":"2020-01-01T00:00:00.5Z","anomalyFlags":["x","y"]}
            {"driver_id":"b","location":{"lat":1,"lon":2},"traffic_density":3,"timestamp":"2020-01-01T01:00:00+01:00","unknown":{"a":[1]}}

            {"driver":"\u00fc","lat":"1","lng":2,"ts":1577836800000,"order_id":null}
            {"driver":"c","lat":1,"lon":2}
            {"driver":"d","lat":1,
            [1]
            {"driver":"e","location":5}
            """);
        Assert.Equal(
            ["5: timestamp is missing", "6: not a JSON object", "7: not a JSON object", "8: location has to be an object"],
            faults);
        Assert.Equal(["a", "b", "ü"], rows.Select(row => row.DriverId));
        Assert.Equal(["x", "y"], rows[0].AnomalyFlags);
        Assert.Equal(TripStage.AtPickup, rows[0].TripStage);
        Assert.Equal(TrafficDensity.Heavy, rows[1].TrafficDensity);
        Assert.Empty(rows[1].AnomalyFlags);
        Assert.Equal(
            ["2020-01-01T00:00:00.500000", "2020-01-01T00:00:00.000000", "2020-01-01T00:00:00.000000"],
            rows.Select(row => Reading.Time(row.Timestamp)));
    }

    [Fact]
    public void Trips_become_points_from_the_start_and_the_gaps()
    {
        var (rows, faults) = Reading.Points(
            """
            {"time_gap":[0.0,20.5],"dist":8.9,"lats":[30.6,30.7],"driverID":7361,"weekID":6,"states":[1.0,1.0],"timeID":91,"dateID":3,"time":20.5,"lngs":[104.0,104.1]}
            {"time_gap":[0.0],"lats":[30.6,30.7],"driverID":1,"timeID":91,"dateID":3,"lngs":[104.0,104.1]}
            {"time_gap":[0.0],"lats":[30.6],"driverID":1,"timeID":91,"dateID":32,"lngs":[104.0]}
            """);
        Assert.Equal(["2: 2 points and 1 times", "3: dateID 32 and timeID 91 are no time of 2014-08"], faults);
        Assert.Equal(["7361", "7361"], rows.Select(row => row.DriverId));
        Assert.Equal([30.6, 30.7], rows.Select(row => row.Location.Lat));
        Assert.Equal([104.0, 104.1], rows.Select(row => row.Location.Lon));
        // 01:31 in China on 3 August, a Sunday (weekID 6), is 17:31 UTC the day before.
        Assert.Equal(
            ["2014-08-02T17:31:00.000000", "2014-08-02T17:31:20.500000"],
            rows.Select(row => Reading.Time(row.Timestamp)));
    }

    [Fact]
    public void Cabspotting_and_plt_have_their_columns_without_names()
    {
        var options = new BindingOptions { Driver = "abboip" };
        var cab = Reading.Points("37.75153 -122.39447 0 1211033530\r\n37.75149 -122.39447 1 1211033614\r\n", options);
        Assert.Empty(cab.Faults);
        Assert.Equal([TripStage.Idle, TripStage.ToDropoff], cab.Rows.Select(row => row.TripStage));
        Assert.Equal(["2008-05-17T14:12:10.000000", "2008-05-17T14:13:34.000000"],
            cab.Rows.Select(row => Reading.Time(row.Timestamp)));
        Assert.All(cab.Rows, row => Assert.Equal("abboip", row.DriverId));

        var plt = Reading.Points(
            "Geolife trajectory\r\nWGS 84\r\nAltitude is in Feet\r\nReserved 3\r\n0,2,255,My Track,0,0,2,8421376\r\n0\r\n"
            + "40.003152,116.343778,0,492,39746.1937962963,2008-10-25,04:39:04\r\n", options);
        Assert.Empty(plt.Faults);
        var point = Assert.Single(plt.Rows);
        Assert.Equal((40.003152, 116.343778), (point.Location.Lat, point.Location.Lon));
        Assert.Equal("2008-10-25T04:39:04.000000", Reading.Time(point.Timestamp));
    }

    [Theory]
    [InlineData("/data/000/Trajectory/20081023025304.plt", "000")]
    [InlineData("/data/new_abboip.txt", "abboip")]
    [InlineData("/data/driver-7.csv.gz", "driver-7")]
    public void The_driver_comes_from_the_files_name(string path, string driver) =>
        Assert.Equal(driver, new InputFile(path, 0, FromDirectory: false).Driver);
}
