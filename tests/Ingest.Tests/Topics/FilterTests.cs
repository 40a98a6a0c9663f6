using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Ingest.Topics;
using Ingest.Topics.Filters;
using Ingest.V1;

namespace Ingest.Tests.Topics;

/// <summary>Conditions on payloads.</summary>
public sealed class FilterTests
{
    private const string Eta =
        """
        {"order_id":"o-17","driver_id":"d-ä","delivery_eta":"2026-11-21T15:00:00.5Z","confidence":0.8,
         "factors":[{"name":"traffic","minutes":4},{"name":"preparation","minutes":12.5}],
         "provenance":{"agent":"eta","source":"SOURCE_RULES","inputs":["orders/1","gps/2"],"ingest_to_emit":"0.250s"}}
        """;

    private const string Alarm =
        """
        {"alert_id":"a","severity":"SEVERITY_CRITICAL","location":{"lat":52.52,"lon":13.405},
         "details":{"ctr":0.02,"campaign":{"name":"winter","live":true,"tags":["a","b"],"place":{"lat":48.1,"lon":11.6}}}}
        """;

    [Theory]
    [InlineData("order_id", "EQUAL", "\"o-17\"", true)]
    [InlineData("orderId", "EQUAL", "\"o-17\"", true)]
    [InlineData("order_id", "NOT_EQUAL", "\"o-17\"", false)]
    [InlineData("order_id", "PREFIX", "\"o-\"", true)]
    [InlineData("order_id", "PREFIX", "\"p-\"", false)]
    [InlineData("order_id", "GREATER", "\"o-1\"", true)]
    [InlineData("order_id", "LESS_OR_EQUAL", "\"o-1\"", false)]
    [InlineData("driver_id", "EQUAL", "\"d-ä\"", true)]
    [InlineData("confidence", "GREATER_OR_EQUAL", "0.8", true)]
    [InlineData("confidence", "GREATER", "0.8", false)]
    [InlineData("confidence", "LESS", "1", true)]
    [InlineData("pickup_eta_minutes", "EQUAL", "0", true)]
    [InlineData("pickup_eta_minutes", "EXISTS", "0", false)]
    [InlineData("confidence", "EXISTS", "0", true)]
    [InlineData("pickup_eta", "EXISTS", "0", false)]
    [InlineData("delivery_eta", "EXISTS", "0", true)]
    [InlineData("pickup_eta", "LESS", "\"2030-01-01T00:00:00Z\"", false)]
    [InlineData("pickup_eta", "NOT_EQUAL", "\"2030-01-01T00:00:00Z\"", true)]
    [InlineData("delivery_eta", "GREATER", "\"2026-11-21T16:00:00+01:00\"", true)]
    [InlineData("delivery_eta", "LESS_OR_EQUAL", "\"2026-11-21T15:00:00.5Z\"", true)]
    [InlineData("delivery_eta", "LESS", "1795273200.25", false)]
    [InlineData("delivery_eta", "LESS", "1795273200.75", true)]
    [InlineData("provenance.source", "EQUAL", "\"RULES\"", true)]
    [InlineData("provenance.source", "NOT_EQUAL", "\"SOURCE_MODEL\"", true)]
    [InlineData("provenance.agent", "EQUAL", "\"eta\"", true)]
    [InlineData("provenance.trace_id", "EQUAL", "\"\"", true)]
    [InlineData("provenance.inputs", "EQUAL", "\"gps/2\"", true)]
    [InlineData("provenance.inputs", "NOT_EQUAL", "\"gps/2\"", false)]
    [InlineData("provenance.inputs", "PREFIX", "\"shops/\"", false)]
    [InlineData("provenance.ingest_to_emit", "LESS", "0.3", true)]
    [InlineData("factors.minutes", "GREATER", "12", true)]
    [InlineData("factors.minutes", "GREATER", "13", false)]
    [InlineData("factors.name", "EQUAL", "\"traffic\"", true)]
    [InlineData("alternative_routes", "EXISTS", "0", false)]
    [InlineData("alternative_routes.distance_meters", "EQUAL", "0", false)]
    public void A_field_compares(string field, string comparison, string value, bool matches) =>
        Assert.Equal(matches, Matches(Filters.Compare(field, comparison, value), EtaPrediction.Descriptor, Eta));

    [Theory]
    [InlineData("severity", "EQUAL", "\"CRITICAL\"", true)]
    [InlineData("state", "EQUAL", "\"UNSPECIFIED\"", true)]
    [InlineData("details.ctr", "LESS", "0.05", true)]
    [InlineData("details.ctr", "EQUAL", "\"0.02\"", false)]
    [InlineData("details.campaign.name", "PREFIX", "\"win\"", true)]
    [InlineData("details.campaign.name", "GREATER", "\"wax\"", true)]
    [InlineData("details.campaign.live", "EQUAL", "true", true)]
    [InlineData("details.campaign.live", "EQUAL", "false", false)]
    [InlineData("details.campaign.live", "GREATER", "false", false)]
    [InlineData("details.campaign.tags", "EQUAL", "\"b\"", true)]
    [InlineData("details.campaign.tags", "EXISTS", "0", true)]
    [InlineData("details.campaign", "EXISTS", "0", true)]
    [InlineData("details.nothing", "EXISTS", "0", false)]
    [InlineData("details.nothing", "NOT_EQUAL", "1", true)]
    [InlineData("details.ctr.deeper", "EXISTS", "0", false)]
    [InlineData("details", "EXISTS", "0", true)]
    [InlineData("location.lat", "GREATER", "52", true)]
    [InlineData("provenance.agent", "EQUAL", "\"\"", false)]
    public void A_field_of_an_alert_compares(string field, string comparison, string value, bool matches) =>
        Assert.Equal(matches, Matches(Filters.Compare(field, comparison, value), V1.Alert.Descriptor, Alarm));

    [Theory]
    [InlineData("a.b", "EQUAL", "1", true)]
    [InlineData("a.c", "EQUAL", "1", false)]
    [InlineData("list.n", "EQUAL", "2", true)]
    public void A_field_of_an_own_payload_compares(string field, string comparison, string value, bool matches) =>
        Assert.Equal(
        matches,
        Matches(Filters.Compare(
            field, comparison, value), Struct.Descriptor, """{"a":{"b":1},"list":[{"n":1},{"n":2}]}"""));

    [Theory]
    [InlineData("""{"all_of":{"filters":[C,C]}}""", true)]
    [InlineData("""{"all_of":{"filters":[C,N]}}""", false)]
    [InlineData("""{"any_of":{"filters":[N,C]}}""", true)]
    [InlineData("""{"any_of":{"filters":[N,N]}}""", false)]
    [InlineData("""{"not":N}""", true)]
    [InlineData("""{"membership":{"field":"severity","values":[{"text":"INFO"},{"text":"CRITICAL"}]}}""", true)]
    [InlineData("""{"membership":{"field":"severity","values":[{"text":"INFO"},{"text":"WARNING"}]}}""", false)]
    [InlineData("""{"membership":{"field":"details.ctr","values":[{"number":1},{"number":0.02}]}}""", true)]
    [InlineData(
        """{"within":{"field":"location","circle":{"center":{"lat":52.5,"lon":13.4},"radius_meters":2300}}}""", true)]
    [InlineData(
        """{"within":{"field":"location","circle":{"center":{"lat":52.5,"lon":13.4},"radius_meters":2200}}}""", false)]
    [InlineData("""{"within":{"field":"location","box":{"south_west":{"lat":52,"lon":13},"north_east":{"lat":53,"lon":14}}}}""", true)]
    [InlineData("""{"within":{"field":"location","box":{"south_west":{"lat":52,"lon":170},"north_east":{"lat":53,"lon":20}}}}""", true)]
    [InlineData("""{"within":{"field":"location","box":{"south_west":{"lat":52,"lon":170},"north_east":{"lat":53,"lon":-170}}}}""", false)]
    [InlineData("""{"within":{"field":"details.campaign.place","circle":{"center":{"lat":48,"lon":11.5},"radius_meters":20000}}}""", true)]
    [InlineData("""{"within":{"field":"details.campaign.name","circle":{"center":{"lat":48,"lon":11.5},"radius_meters":20000}}}""", false)]
    public void Conditions_combine(string json, bool matches)
    {
        string wanted = Filters.Compare("severity", "EQUAL", "\"CRITICAL\"").ToString();
        string unwanted = Filters.Compare("severity", "EQUAL", "\"INFO\"").ToString();
        json = json.Replace("C,", wanted + ",").Replace(",C", "," + wanted).Replace("N,", unwanted + ",")
            .Replace(",N", "," + unwanted).Replace(":N", ":" + unwanted);
        Assert.Equal(matches, Matches(Filters.Parse(json), V1.Alert.Descriptor, Alarm));
    }

    [Fact]
    public void A_circle_goes_by_the_great_circle()
    {
        // Berlin to Paris: 877.46 km on a sphere with the mean radius; across the 180th meridian 1 degree at the
        // equator.
        AssertEdge(52.52, 13.405, 48.8566, 2.3522, 877_463);
        AssertEdge(0, 179.5, 0, -179.5, 111_195);
        AssertEdge(90, 0, 89, 123, 111_195);
        AssertEdge(10, 20, -10, -160, Math.PI * 6_371_008.8 - 1);
    }

    [Theory]
    [InlineData("order", "EQUAL", "\"x\"", "EtaPrediction has no field 'order'; it has order_id")]
    [InlineData("order_id.x", "EQUAL", "\"x\"", "is no message")]
    [InlineData("order_id", "EQUAL", "1", "is text")]
    [InlineData("confidence", "EQUAL", "\"1\"", "is a number")]
    [InlineData("confidence", "PREFIX", "\"1\"", "has no prefix")]
    [InlineData("provenance", "EQUAL", "\"1\"", "cannot be compared")]
    [InlineData("provenance.source", "EQUAL", "\"MAGIC\"", "is one of UNSPECIFIED, RULES, MODEL, LLM")]
    [InlineData("provenance.source", "LESS", "\"RULES\"", "has no order")]
    [InlineData("delivery_eta", "LESS", "\"soon\"", "is a time")]
    [InlineData("provenance..agent", "EQUAL", "\"x\"", "no path")]
    public void A_comparison_that_makes_no_sense_is_refused(string field, string comparison, string value, string text)
    {
        TopicException fault = Refusal(
            Filters.Compare(field, comparison, value), PayloadKind.OfTopic("eta-predictions")!);
        Assert.Contains(text, fault.Message, StringComparison.Ordinal);
        Assert.Equal("filter.comparison.field", fault.Field);
    }

    [Theory]
    [InlineData("""{}""", "filter")]
    [InlineData("""{"all_of":{}}""", "filter.all_of")]
    [InlineData("""{"not":{"all_of":{"filters":[{"not":{}}]}}}""", "filter.not.all_of.filters[0].not")]
    [InlineData("""{"comparison":{"field":"order_id","value":{"text":"x"}}}""", "filter.comparison.operator")]
    [InlineData(
        """{"comparison":{"field":"order_id","operator":"COMPARISON_OPERATOR_EQUAL"}}""", "filter.comparison.value")]
    [InlineData("""{"comparison":{"field":"confidence","operator":"COMPARISON_OPERATOR_EQUAL","value":{"number":"NaN"}}}""", "filter.comparison.value")]
    [InlineData("""{"membership":{"field":"order_id"}}""", "filter.membership.values")]
    [InlineData("""{"membership":{"field":"order_id","values":[{"text":"a"},{}]}}""", "filter.membership.values[1]")]
    [InlineData("""{"within":{"field":"alternative_routes.path"}}""", "filter.within")]
    [InlineData("""{"within":{"field":"alternative_routes.path","circle":{"radius_meters":1}}}""",
        "filter.within.circle.center")]
    [InlineData("""{"within":{"field":"alternative_routes.path","circle":{"center":{"lat":91},"radius_meters":1}}}""",
        "filter.within.circle.center")]
    [InlineData("""{"within":{"field":"alternative_routes.path","circle":{"center":{},"radius_meters":-1}}}""",
        "filter.within.circle.radius_meters")]
    [InlineData("""{"within":{"field":"alternative_routes.path","box":{"south_west":{"lat":1},"north_east":{}}}}""",
        "filter.within.box")]
    [InlineData("""{"within":{"field":"order_id","circle":{"center":{},"radius_meters":1}}}""", "filter.within.field")]
    public void What_is_no_filter_is_refused_with_its_place(string json, string field) =>
        Assert.Equal(field, Refusal(Filters.Parse(json), PayloadKind.OfTopic("eta-predictions")!).Field);

    [Fact]
    public void A_filter_that_is_too_deep_or_too_large_is_refused()
    {
        Filter deep = Filters.Compare("order_id", "EQUAL", "\"x\"");
        for (int i = 0; i < 50; i++)
        {
            deep = new Filter { Not = deep };
        }

        Refusal(deep, PayloadKind.All[0]);
        var large = new Filter { AnyOf = new FilterList() };
        large.AnyOf.Filters.AddRange(Enumerable.Repeat(Filters.Compare("order_id", "EQUAL", "\"x\""), 1001));
        Refusal(large, PayloadKind.All[0]);
    }

    [Fact]
    public void A_field_that_some_payloads_have_is_satisfied_by_no_other()
    {
        Filter filter = Filters.Compare("severity", "NOT_EQUAL", "\"INFO\"");
        FilterCompiler.Check(filter, PayloadKind.All);
        Refusal(filter, PayloadKind.OfTopic("eta-predictions")!);
        Assert.True(Matches(filter, V1.Alert.Descriptor, Alarm));
        Assert.False(Matches(filter, EtaPrediction.Descriptor, Eta));
    }

    [Fact]
    public void Random_bytes_and_cut_payloads_do_no_harm()
    {
        var random = new Random(7);
        byte[] alert = Parse(V1.Alert.Descriptor, Alarm);
        FilterNode[] filters =
        [
            .. new[] { ("details.campaign.tags", "\"b\""), (
                "location.lat", "5"), ("severity", "\"INFO\""), ("started_at", "7") }
                .Select(c => FilterCompiler.Compile(
                    Filters.Compare(c.Item1, "EQUAL", c.Item2), PayloadKind.OfTopic("alerts")!)),
        ];
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = alert[..random.Next(alert.Length)];
            for (int n = random.Next(4); n > 0 && bytes.Length > 0; n--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            foreach (FilterNode filter in filters)
            {
                filter.Matches(bytes);
            }
        }
    }

    private static void AssertEdge(double lat, double lon, double otherLat, double otherLon, double meters)
    {
        bool Within(double radius) => new Area(new Circle
        {
            Center = new Location { Lat = lat, Lon = lon }, RadiusMeters = radius,
        }).Contains(otherLat, otherLon);
        Assert.False(Within(meters * 0.9999));
        Assert.True(Within(meters * 1.0001));
    }

    private static TopicException Refusal(Filter filter, PayloadKind kind) =>
        Assert.Throws<TopicException>(() => FilterCompiler.Check(filter, [kind]));

    private static bool Matches(Filter filter, MessageDescriptor payload, string json) =>
        FilterCompiler.Compile(filter, PayloadKind.Of(payload)!).Matches(Parse(payload, json));

    private static byte[] Parse(MessageDescriptor payload, string json) =>
        JsonParser.Default.Parse(json, payload).ToByteArray();
}
