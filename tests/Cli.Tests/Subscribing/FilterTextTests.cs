using Google.Protobuf;
using Ingest.Cli.Subscribing;
using Ingest.V1;

namespace Ingest.Cli.Tests.Subscribing;

public sealed class FilterTextTests
{
    [Theory]
    [InlineData("confidence>=0.8", """{"comparison":{"field":"confidence","operator":"COMPARISON_OPERATOR_GREATER_OR_EQUAL","value":{"number":0.8}}}""")]
    [InlineData("a.b < -1e3", """{"comparison":{"field":"a.b","operator":"COMPARISON_OPERATOR_LESS","value":{"number":-1000}}}""")]
    [InlineData("severity = CRITICAL", """{"comparison":{"field":"severity","operator":"COMPARISON_OPERATOR_EQUAL","value":{"text":"CRITICAL"}}}""")]
    [InlineData("done!=true", """{"comparison":{"field":"done","operator":"COMPARISON_OPERATOR_NOT_EQUAL","value":{"boolean":true}}}""")]
    [InlineData("order_id=\"4711\"", """{"comparison":{"field":"order_id","operator":"COMPARISON_OPERATOR_EQUAL","value":{"text":"4711"}}}""")]
    [InlineData("order_id^=A-", """{"comparison":{"field":"order_id","operator":"COMPARISON_OPERATOR_PREFIX","value":{"text":"A-"}}}""")]
    [InlineData("message=a = b", """{"comparison":{"field":"message","operator":"COMPARISON_OPERATOR_EQUAL","value":{"text":"a = b"}}}""")]
    [InlineData("location exists", """{"comparison":{"field":"location","operator":"COMPARISON_OPERATOR_EXISTS"}}""")]
    [InlineData("inside=1", """{"comparison":{"field":"inside","operator":"COMPARISON_OPERATOR_EQUAL","value":{"number":1}}}""")]
    [InlineData("kind in late, lost,3", """{"membership":{"field":"kind","values":[{"text":"late"},{"text":"lost"},{"number":3}]}}""")]
    [InlineData("location within 52.5,13.4,2500", """{"within":{"field":"location","circle":{"center":{"lat":52.5,"lon":13.4},"radiusMeters":2500}}}""")]
    [InlineData("location within -1,2,3,4", """{"within":{"field":"location","box":{"southWest":{"lat":-1,"lon":2},"northEast":{"lat":3,"lon":4}}}}""")]
    [InlineData(""" {"not":{"comparison":{"field":"a","operator":"COMPARISON_OPERATOR_EXISTS"}}}""", """{"not":{"comparison":{"field":"a","operator":"COMPARISON_OPERATOR_EXISTS"}}}""")]
    public void A_condition_is_read(string text, string filter) =>
        Assert.Equal(JsonParser.Default.Parse<Filter>(filter), FilterText.Parse([text]));

    [Theory]
    [InlineData("")]
    [InlineData("confidence")]
    [InlineData("confidence>=")]
    [InlineData(">=1")]
    [InlineData("kind in")]
    [InlineData("location exists now")]
    [InlineData("location within 1,2")]
    [InlineData("location within here")]
    [InlineData("{\"nothing\":1}")]
    [InlineData("{")]
    public void What_is_no_condition_is_refused(string text) =>
        Assert.StartsWith("--filter", Assert.Throws<UsageException>(() => FilterText.Parse([text])).Message, StringComparison.Ordinal);

    [Fact]
    public void Of_several_conditions_all_have_to_hold()
    {
        Assert.Null(FilterText.Parse([]));
        Filter filter = FilterText.Parse(["a=1", "b=2"])!;
        Assert.Equal([FilterText.Parse(["a=1"]), FilterText.Parse(["b=2"])], filter.AllOf.Filters);
    }
}
