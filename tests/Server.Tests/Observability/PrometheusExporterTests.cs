using System.Diagnostics.Metrics;
using Ingest.Server.Observability;
using OpenTelemetry.Metrics;

namespace Ingest.Server.Tests.Observability;

public sealed class PrometheusExporterTests
{
    private static readonly string[] List = ["x", "y"];

    [Fact]
    public async Task Counter_gets_its_unit_and_total_and_goes_on_adding()
    {
        using var scrape = new PrometheusScrape();
        var bytes = scrape.Meter.CreateCounter<long>("ingest.bytes.read", "By", "Bytes read.");
        bytes.Add(3, new KeyValuePair<string, object?>("table", "events"));
        await scrape.TextAsync();
        bytes.Add(4, new KeyValuePair<string, object?>("table", "events"));

        Assert.Equal(
            [
                "# TYPE ingest_bytes_read_bytes_total counter",
                "# HELP ingest_bytes_read_bytes_total Bytes read.",
                "ingest_bytes_read_bytes_total{table=\"events\"} 7",
            ],
            await scrape.LinesAsync());
    }

    [Fact]
    public async Task Every_kind_of_instrument_comes_out_with_its_type_and_value()
    {
        using var scrape = new PrometheusScrape();
        var meter = scrape.Meter;
        meter.CreateCounter<long>("long.counter").Add(1);
        meter.CreateCounter<double>("double.counter").Add(1.5);
        meter.CreateUpDownCounter<long>("long.updown").Add(-2);
        meter.CreateUpDownCounter<double>("double.updown").Add(-2.5);
        meter.CreateGauge<long>("long.gauge").Record(3);
        meter.CreateGauge<double>("double.gauge").Record(double.NaN);
        meter.CreateObservableCounter("long.watched.counter", () => long.MaxValue);
        meter.CreateObservableCounter("double.watched.counter", () => 1e21);
        meter.CreateObservableUpDownCounter("long.watched.updown", () => 5L);
        meter.CreateObservableUpDownCounter("double.watched.updown", () => 0.1);
        meter.CreateObservableGauge("long.watched.gauge", () => 6L);
        meter.CreateObservableGauge("double.watched.gauge", () => double.NegativeInfinity);

        var lines = await scrape.LinesAsync();

        Assert.Equal(
            [
                "double_counter_total{} 1.5", "double_gauge{} NaN", "double_updown{} -2.5",
                "double_watched_counter_total{} 1e+21", "double_watched_gauge{} -Inf", "double_watched_updown{} 0.1",
                "long_counter_total{} 1", "long_gauge{} 3", "long_updown{} -2",
                "long_watched_counter_total{} 9223372036854775807", "long_watched_gauge{} 6", "long_watched_updown{} 5",
            ],
            lines.Where(line => line[0] != '#'));
        Assert.All(
            lines.Where(line => line.StartsWith("# TYPE", StringComparison.Ordinal)),
            line => Assert.EndsWith(line.Contains("_total ", StringComparison.Ordinal) ? " counter" : " gauge", line));
    }

    [Fact]
    public async Task Histogram_counts_up_to_each_bound()
    {
        using var scrape = new PrometheusScrape();
        var advice = new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.00005, 0.01, 1] };
        var histogram = scrape.Meter.CreateHistogram("wait", "s", "Time waited.", tags: null, advice);
        foreach (var seconds in new[] { 0.00005, 0.005, 0.5, 2, 3 })
        {
            histogram.Record(seconds, new KeyValuePair<string, object?>("lane", 1));
        }

        Assert.Equal(
            [
                "# TYPE wait_seconds histogram",
                "# HELP wait_seconds Time waited.",
                "wait_seconds_bucket{lane=\"1\",le=\"5e-05\"} 1",
                "wait_seconds_bucket{lane=\"1\",le=\"0.01\"} 2",
                "wait_seconds_bucket{lane=\"1\",le=\"1\"} 3",
                "wait_seconds_bucket{lane=\"1\",le=\"+Inf\"} 5",
                "wait_seconds_sum{lane=\"1\"} 5.50505",
                "wait_seconds_count{lane=\"1\"} 5",
            ],
            await scrape.LinesAsync());
    }

    [Fact]
    public async Task Histogram_without_bounds_has_the_last_bucket_and_one_with_negative_values_no_sum()
    {
        using var scrape = new PrometheusScrape(configure: builder => builder
            .AddView("bare", new ExplicitBucketHistogramConfiguration { Boundaries = [] }));
        scrape.Meter.CreateHistogram<double>("bare").Record(-1);

        Assert.Equal(["bare_bucket{le=\"+Inf\"} 1", "bare_count{} 1"], (await scrape.LinesAsync()).Skip(2));
    }

    [Fact]
    public async Task Exponential_histogram_is_left_out()
    {
        using var scrape = new PrometheusScrape(configure: builder => builder
            .AddView("wide", new Base2ExponentialBucketHistogramConfiguration()));
        scrape.Meter.CreateHistogram<double>("wide").Record(1);

        Assert.Empty(await scrape.LinesAsync());
    }

    [Fact]
    public async Task Weird_label_values_are_escaped_and_read_back_by_promtool()
    {
        using var scrape = new PrometheusScrape();
        var counter = scrape.Meter.CreateCounter<long>("weird", null, "Back\\slash and\nnew line and \"quotes\".");
        counter.Add(1, new KeyValuePair<string, object?>("a", "back\\slash \"quoted\"\nnext line, ünï {} = \ud800."));
        counter.Add(1, new KeyValuePair<string, object?>("a", null));
        counter.Add(1, new KeyValuePair<string, object?>("a", true));
        counter.Add(1, new KeyValuePair<string, object?>("a", 0.5));
        counter.Add(1, new KeyValuePair<string, object?>("a", List));

        var lines = await scrape.LinesAsync();

        Assert.Equal("# HELP weird_total Back\\\\slash and\\nnew line and \"quotes\".", lines[1]);
        Assert.Contains(
            "weird_total{a=\"back\\\\slash \\\"quoted\\\"\\nnext line, ünï {} = \ufffd.\"} 1", lines);
        Assert.Contains("weird_total{a=\"\"} 1", lines);
        Assert.Contains("weird_total{a=\"true\"} 1", lines);
        Assert.Contains("weird_total{a=\"0.5\"} 1", lines);
        Assert.Contains("weird_total{a=\"[\\\"x\\\",\\\"y\\\"]\"} 1", lines);
    }

    [Fact]
    public async Task Labels_that_fall_together_are_joined_and_reserved_ones_renamed()
    {
        using var scrape = new PrometheusScrape();
        scrape.Meter.CreateCounter<long>("joined").Add(1,
            new("a.b", "2"), new("a-b", "1"), new("9lives", "x"), new("otel.scope.name", "mine"));
        scrape.Meter.CreateHistogram<double>("h").Record(1, new KeyValuePair<string, object?>("le", "mine"));

        var lines = await scrape.LinesAsync();

        Assert.Contains("joined_total{_9lives=\"x\",a_b=\"1;2\",exported_otel_scope_name=\"mine\"} 1", lines);
        Assert.Contains("h_count{exported_le=\"mine\"} 1", lines);
    }

    [Fact]
    public async Task Same_name_of_two_meters_is_one_family()
    {
        using var other = new Meter("other." + Guid.NewGuid().ToString("N"), "2.0");
        using var scrape = new PrometheusScrape(otherMeters: other.Name);
        scrape.Meter.CreateCounter<long>("shared", null, "First.").Add(1);
        scrape.Meter.CreateCounter<long>("zebra").Add(1);
        other.CreateCounter<long>("shared", null, "Second.").Add(2);

        Assert.Equal(
            [
                "# TYPE shared_total counter",
                "# HELP shared_total First.",
                "shared_total{} 1",
                $"shared_total{{otel_scope_name=\"{other.Name}\",otel_scope_version=\"2.0\"}} 2",
                "# TYPE zebra_total counter",
            ],
            (await scrape.LinesAsync()).Take(5));
    }

    [Fact]
    public async Task Name_that_is_taken_is_left_out_and_reported_once()
    {
        var log = new CountingLogger();
        using var scrape = new PrometheusScrape(log);
        scrape.Meter.CreateHistogram<double>("a").Record(1);
        scrape.Meter.CreateUpDownCounter<long>("a.sum").Add(1);
        scrape.Meter.CreateCounter<long>("b.c").Add(1);
        scrape.Meter.CreateCounter<long>("b_c").Add(1);
        scrape.Meter.CreateUpDownCounter<long>("b.c.total").Add(1);

        await scrape.TextAsync();
        var names = (await scrape.LinesAsync()).Where(line => line[0] != '#').Select(line => line.Split('{')[0]);

        Assert.Equal(["a_bucket", "a_count", "a_sum", "b_c_total"], names.Distinct().Order());
        Assert.Equal(3, log.Count);
    }

    [Fact]
    public async Task OpenMetrics_names_the_family_and_its_unit_and_ends_with_EOF()
    {
        using var scrape = new PrometheusScrape();
        scrape.Meter.CreateCounter<double>("cpu.time", "s", "Time \"busy\".").Add(2);
        scrape.Meter.CreateHistogram("wait", "s", "Waited.", null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [1] }).Record(0.5);

        Assert.StartsWith("# TYPE target info\n", await scrape.TextAsync(PrometheusFormat.OpenMetrics));
        Assert.Equal(
            [
                "# TYPE cpu_time_seconds counter",
                "# UNIT cpu_time_seconds seconds",
                "# HELP cpu_time_seconds Time \\\"busy\\\".",
                "cpu_time_seconds_total{} 2",
                "# TYPE wait_seconds histogram",
                "# UNIT wait_seconds seconds",
                "# HELP wait_seconds Waited.",
                "wait_seconds_bucket{le=\"1.0\"} 1",
                "wait_seconds_bucket{le=\"+Inf\"} 1",
                "wait_seconds_sum{} 0.5",
                "wait_seconds_count{} 1",
                "# EOF",
            ],
            await scrape.LinesAsync(PrometheusFormat.OpenMetrics));
    }

    [SkippableFact]
    public async Task Promtool_has_nothing_to_say()
    {
        using var scrape = new PrometheusScrape(otherMeters: "System.Runtime");
        scrape.Meter.CreateCounter<long>("ingest.things", "{thing}", "Things \\ with\nlines.").Add(1,
            new("a.b", "2"), new("a-b", "quote \" slash \\ line \n"));
        scrape.Meter.CreateHistogram<double>("ingest.wait", "s", "Waited.").Record(1);
        scrape.Meter.CreateObservableGauge("ingest.share", () => 0.5, "1", "A share.");
        scrape.Meter.CreateUpDownCounter<long>("ingest.undescribed").Add(-1);

        var text = await scrape.TextAsync();
        Assert.Contains("target_info{service_name=\"svc \\\"1\\\"\"} 1\n", text);
        Assert.Contains("\ndotnet_gc_collections_total{", text);
        Assert.Contains("\ndotnet_assembly_current{", text);
        await Promtool.CheckAsync(text);
    }

    [Fact]
    public async Task Concurrent_scrapes_are_whole_each()
    {
        using var scrape = new PrometheusScrape();
        var counter = scrape.Meter.CreateCounter<long>("seen");
        for (var i = 0; i < 200; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("i", i));
        }

        var texts = await Task.WhenAll(Enumerable.Range(0, 32).Select(i => Task.Run(() =>
            scrape.TextAsync(i % 2 == 0 ? PrometheusFormat.Text : PrometheusFormat.OpenMetrics))));

        Assert.Single(texts.Where((_, i) => i % 2 == 0).Distinct());
        Assert.Single(texts.Where((_, i) => i % 2 == 1).Distinct());
        Assert.All(texts, text => Assert.Equal(200, text.Split("\nseen_total{").Length - 1));
    }

    [Fact]
    public async Task Scrape_allocates_little_and_no_more_with_more_series()
    {
        using var scrape = new PrometheusScrape();
        var counter = scrape.Meter.CreateCounter<long>("seen");
        Fill(0, 100);
        var few = await AllocatedByScrapeAsync(scrape);
        Fill(100, 1000);
        var many = await AllocatedByScrapeAsync(scrape);

        Assert.InRange(many - few, -4096, 4096);

        void Fill(int from, int to)
        {
            for (var i = from; i < to; i++)
            {
                counter.Add(1, new KeyValuePair<string, object?>("i", i.ToString("D4", null)));
            }
        }
    }

    private static async Task<long> AllocatedByScrapeAsync(PrometheusScrape scrape)
    {
        for (var i = 0; i < 20; i++)
        {
            await scrape.CopyNothingAsync();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.True(scrape.CopyNothingAsync().IsCompletedSuccessfully);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
