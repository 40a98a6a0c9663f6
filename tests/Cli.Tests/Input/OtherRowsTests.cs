using Google.Protobuf.WellKnownTypes;
using Ingest.Cli.Binding;
using Ingest.V1;

namespace Ingest.Cli.Tests.Input;

public sealed class OtherRowsTests
{
    [Fact]
    public void An_ad_log_becomes_impressions_of_items()
    {
        var row = Reading.Events(
            """
            timestamp,item_id,position,click,propensity_score
            2019-11-24 00:01:03.979311+00:00,2,3,0,0.045525
            """).Rows.Single();
        Assert.Equal(("ad_impression", "item", "2"), (row.EventType, row.EntityType, row.EntityId));
        Assert.Equal("2019-11-24T00:01:03.979311", Reading.Time(row.Timestamp));
        Assert.Equal(["click", "position", "propensity_score"], row.Properties.Fields.Keys.Order());
        Assert.Equal(3, row.Properties.Fields["position"].NumberValue);
    }

    [Fact]
    public void Columns_that_are_no_fields_become_properties_of_their_kind()
    {
        var options = new BindingOptions
        {
            Constants = [new("event_type", "visit"), new("entity_type", "user"), new("properties.source", "log")],
            Map = new Dictionary<string, string> { ["user"] = "entity_id" },
        };
        var row = Reading.Events("time,user,score,ok,zip,campaign_id\n1577836800,u1,-1.5,true,007,c9", options).Rows.Single();
        Assert.Equal(("visit", "user", "u1"), (row.EventType, row.EntityType, row.EntityId));
        Assert.Equal(Value.ForNumber(-1.5), row.Properties.Fields["score"]);
        Assert.Equal(Value.ForBool(true), row.Properties.Fields["ok"]);
        Assert.Equal(Value.ForString("007"), row.Properties.Fields["zip"]);
        Assert.Equal(Value.ForString("log"), row.Properties.Fields["source"]);
        Assert.Equal(Value.ForString("c9"), row.Properties.Fields["campaign_id"]);
    }

    [Fact]
    public void Events_in_json_keep_nested_properties_and_rows_do_not_share_them()
    {
        var (rows, faults) = Reading.Events(
            """
            {"eventType":"a","entityType":"t","entityId":"e","timestamp":"2020-01-01T00:00:00Z","properties":{"x":{"y":[1,"z"]},"n":1}}
            {"event_type":"b","entity_type":"t","entity_id":"e","ts":1577836800,"flat":"f","nested":{"k":true}}
            """);
        Assert.Empty(faults);
        Assert.Equal("""{ "x": { "y": [ 1, "z" ] }, "n": 1 }""", rows[0].Properties.ToString());
        Assert.Equal("""{ "flat": "f", "nested": { "k": true } }""", rows[1].Properties.ToString());
    }

    [Fact]
    public void Events_without_a_type_are_refused_with_the_way_to_give_one() =>
        Assert.Equal(
            "no column for event_type; --set event_type=NAME gives one to every row",
            Assert.Throws<UsageException>(() => Reading.Events("time,item_id\n1,2")).Message);

    [Fact]
    public void Metric_columns_are_metrics_where_they_are_numbers_and_labels_where_not()
    {
        var (rows, faults) = Reading.Metrics(
            """
            campaign,timestamp,spend_usd,labels.year,channel,clicks
            c1,2020-01-01,12.5,2020,search,
            """);
        Assert.Empty(faults);
        Assert.Equal(["spend_usd"], rows[0].Metrics.Keys);
        Assert.Equal(new Dictionary<string, string> { ["year"] = "2020", ["channel"] = "search" }, rows[0].Labels);
        var (json, _) = Reading.Metrics(
            """{"campaignId":"c","timestamp":"2020-01-01T00:00:00Z","metrics":{"ctr":0.5},"labels":{"channel":"x"}}""");
        Assert.Equal(0.5, json[0].Metrics["ctr"]);
        Assert.Equal("x", json[0].Labels["channel"]);
    }

    [Fact]
    public void Orders_with_times_of_day_get_a_date_and_go_over_midnight()
    {
        const string Text = """
            order_id,pick_up_lat,pick_up_lng,drop_off_lat,drop_off_lng,placement_time,preparation_time,ready_time,expected_drop_off_time
            1,3.36,-76.53,3.37,-76.51,23:50:00,23:55:00,00:05:30,00:43:08
            """;
        Assert.Equal(["2: placed_at has no date; --date gives one"], Reading.Orders(Text).Faults);
        var options = new BindingOptions { Date = new DateOnly(2019, 6, 1), UtcOffset = TimeSpan.FromHours(-5) };
        var row = Reading.Orders(Text, options).Rows.Single();
        Assert.Equal((3.36, -76.53, 3.37, -76.51), (row.Pickup.Lat, row.Pickup.Lon, row.Dropoff.Lat, row.Dropoff.Lon));
        Assert.Equal("2019-06-02T04:50:00.000000", Reading.Time(row.PlacedAt));
        Assert.Equal("2019-06-02T05:05:30.000000", Reading.Time(row.ReadyAt));
        Assert.Equal("2019-06-02T05:43:08.000000", Reading.Time(row.DueAt));
    }

    [Fact]
    public void Trips_of_cabs_become_orders_called_after_file_and_line()
    {
        var options = new BindingOptions
        {
            Map = new Dictionary<string, string> { ["pickup_time"] = "placed_at" },
            Constants = [new("status", "delivered")],
            Stem = "green",
        };
        var row = Reading.Orders(
            "pickup_time,dropoff_time,pickup_lat,pickup_lon,dropoff_lat,dropoff_lon\n"
            + "2016-01-27 08:16:32,2016-01-27 08:59:44,40.7,-73.9,40.71,-74.0", options).Rows.Single();
        Assert.Equal(("green-2", OrderStatus.Delivered), (row.OrderId, row.Status));
        Assert.Null(row.DueAt);
    }
}
