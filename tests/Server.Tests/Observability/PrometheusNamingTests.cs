using Ingest.Server.Observability;

namespace Ingest.Server.Tests.Observability;

public sealed class PrometheusNamingTests
{
    [Theory]
    [InlineData("ingest.rows", "{row}", 'c', "ingest_rows_total")]
    [InlineData("ingest.bytes", "By", 'c', "ingest_bytes_total")]
    [InlineData("http.server.request.duration", "s", 'h', "http_server_request_duration_seconds")]
    [InlineData("already.total", "", 'c', "already_total")]
    [InlineData("already.total", "s", 'c', "already_seconds_total")]
    [InlineData("dotnet.thread_pool.thread.count", "{thread}", 'g', "dotnet_thread_pool_thread_current")]
    [InlineData("things.count", "{thing}", 'c', "things_count_total")]
    [InlineData("share", "1", 'g', "share_ratio")]
    [InlineData("tries", "1", 'c', "tries_total")]
    [InlineData("speed", "m/s", 'g', "speed_meters_per_second")]
    [InlineData("rate", "{row}/s", 'g', "rate_per_second")]
    [InlineData("rate", "By/min", 'g', "rate_bytes_per_minute")]
    [InlineData("odd", "furlong{note}", 'g', "odd_furlong")]
    [InlineData("odd", "{a", 'g', "odd")]
    [InlineData("a..b--c__d", "", 'g', "a_b_c_d")]
    [InlineData("2fast", "", 'g', "_2fast")]
    [InlineData("job:rate", "", 'g', "job:rate")]
    [InlineData("größe", "", 'g', "gr_e")]
    [InlineData("seconds", "s", 'g', "seconds")]
    [InlineData("milliseconds_left", "s", 'g', "milliseconds_left_seconds")]
    public void Instrument_gets_the_name_that_Prometheus_expects(string name, string unit, char kind, string expected)
    {
        var type = kind switch
        {
            'c' => PrometheusType.Counter,
            'h' => PrometheusType.Histogram,
            _ => PrometheusType.Gauge,
        };
        var family = PrometheusNaming.FamilyName(name, PrometheusNaming.Unit(unit, type), type);
        Assert.Equal(expected, PrometheusNaming.SampleName(family, type));
    }

    [Theory]
    [InlineData("http.route", "http_route")]
    [InlineData("__name__", "_name_")]
    [InlineData("a:b", "a_b")]
    [InlineData("1st", "_1st")]
    [InlineData("", "_")]
    [InlineData("Good_1", "Good_1")]
    public void Attribute_gets_a_valid_label_name(string attribute, string expected) =>
        Assert.Equal(expected, PrometheusNaming.LabelName(attribute));

    [Theory]
    [InlineData(null, "text/plain; version=0.0.4; charset=utf-8")]
    [InlineData("*/*", "text/plain; version=0.0.4; charset=utf-8")]
    [InlineData("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        "application/openmetrics-text; version=1.0.0; charset=utf-8")]
    [InlineData("application/openmetrics-text;version=1.0.0;q=0.2,text/plain;version=0.0.4;q=0.3",
        "text/plain; version=0.0.4; charset=utf-8")]
    [InlineData("application/openmetrics-text;version=0.0.1", "text/plain; version=0.0.4; charset=utf-8")]
    [InlineData("application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8")]
    [InlineData("application/openmetrics-text;q=0", "text/plain; version=0.0.4; charset=utf-8")]
    [InlineData("nonsense;;;,", "text/plain; version=0.0.4; charset=utf-8")]
    public void Format_follows_the_Accept_header(string? accept, string expected) =>
        Assert.Equal(expected, PrometheusNegotiation.ContentType(PrometheusNegotiation.Choose(accept)));
}
