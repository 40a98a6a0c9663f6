using System.Diagnostics;
using System.Net;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.Protocol;
using Ingest.Schema;
using Ingest.Server.Tests.Grpc;
using Ingest.Testing.V1;
using Ingest.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Server.Tests.Observability;

[Collection(ObservedHost.OneAtATime)]
public sealed class MetricsTests : IDisposable
{
    private const string Probe = "/ingest.testing.v1.ProbeService/";

    private readonly string _data = Directory.CreateTempSubdirectory("ingest-metrics-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task Calls_and_messages_are_counted_by_method_and_status()
    {
        await using var host = await ObservedHost.StartAsync();
        var messages = Frames.Join(Frames.Of([]), Frames.Of([]), Frames.Of([]));
        await RawCall.SendAsync(host.Grpc, Probe + "Echo", messages);
        await RawCall.SendAsync(host.Grpc, Probe + "Fail", Frames.Of(new FailRequest
        {
            Kind = FailRequest.Types.Kind.AfterHeaders,
        }));
        await RawCall.SendAsync(host.Grpc, Probe + "Nothing", Frames.Of([]));
        await RawCall.SendAsync(host.Grpc, Probe + "Nothing2", Frames.Of([]));

        Assert.Equal(
            [
                "ingest_calls_active{method=\"ingest.testing.v1.ProbeService/Echo\"} 0",
                "ingest_calls_finished_total{method=\"ingest.testing.v1.ProbeService/Echo\",status=\"OK\"} 1",
                "ingest_calls_started_total{method=\"ingest.testing.v1.ProbeService/Echo\"} 1",
                "ingest_messages_received_total{method=\"ingest.testing.v1.ProbeService/Echo\"} 3",
                "ingest_messages_sent_total{method=\"ingest.testing.v1.ProbeService/Echo\"} 3",
            ],
            await host.ScrapeAsync("method=\"ingest.testing.v1.ProbeService/Echo\""));
        var finished = await host.ScrapeAsync("ingest_calls_finished_total{");
        Assert.Contains(
            "ingest_calls_finished_total{method=\"ingest.testing.v1.ProbeService/Fail\",status=\"NOT_FOUND\"} 1",
            finished);
        Assert.Contains("ingest_calls_finished_total{method=\"unbound\",status=\"UNIMPLEMENTED\"} 2", finished);
    }

    [Fact]
    public async Task Call_that_runs_is_active_and_its_messages_show_before_it_ends()
    {
        await using var host = await ObservedHost.StartAsync();
        var body = new StreamedContent();
        body.Write(Frames.Of([]));
        body.Write(Frames.Of([]));
        var call = RawCall.SendAsync(host.Grpc, Probe + "Count", body);

        await UntilAsync("ingest_messages_received_total{method=\"ingest.testing.v1.ProbeService/Count\"} 2");
        await UntilAsync("ingest_calls_active{method=\"ingest.testing.v1.ProbeService/Count\"} 1");
        body.Complete();
        await call;
        await UntilAsync("ingest_calls_active{method=\"ingest.testing.v1.ProbeService/Count\"} 0");
        await UntilAsync("ingest_messages_sent_total{method=\"ingest.testing.v1.ProbeService/Count\"} 1");

        async Task UntilAsync(string line)
        {
            var watch = Stopwatch.StartNew();
            while (!(await host.ScrapeAsync("Count\"")).Contains(line))
            {
                Assert.True(watch.Elapsed < Wait.Limit, $"Not within {Wait.Limit}: {line}");
                await Task.Delay(5);
            }
        }
    }

    [SkippableFact]
    public async Task Log_is_shown_with_its_latencies_and_promtool_has_nothing_to_say()
    {
        await using var host = await ObservedHost.StartAsync();
        var table = TableSchema.FromDescriptor(Event.Descriptor);
        var log = await SegmentLog.OpenAsync(
            new LogOptions { DataDirectory = _data }, [table], NullLogger.Instance);
        host.Watch(log.Metrics);
        await AppendAsync(log.Lane(table), 7);
        await RawCall.SendAsync(host.Grpc, Probe + "Echo", Frames.Of([]));
        var open = await host.ScrapeAsync("ingest_log_segments{");
        await log.StopAsync();

        Assert.Contains("ingest_log_segments{state=\"open\"} 1", open);
        var text = await host.Http.GetStringAsync("/metrics");
        await log.DisposeAsync();
        Assert.All(
            [
                "ingest_log_rows_total{} 7", "ingest_log_blocks_total{} 1", "ingest_log_groups_total{} 1",
                "ingest_log_groups_failed_total{} 0", "ingest_log_segments_sealed_total{} 1",
                "ingest_log_segments{state=\"open\"} 0", "ingest_log_segments{state=\"sealed\"} 1",
                "ingest_log_size_bytes{state=\"open\"} 0", "ingest_log_queued_bytes{} 0",
                $"ingest_log_size_bytes{{state=\"sealed\"}} {log.Metrics.Bytes}",
                $"ingest_log_bytes_total{{}} {log.Metrics.Bytes}",
                "ingest_log_flush_duration_seconds_count{table=\"events\"} 1",
                "ingest_ack_duration_seconds_count{table=\"events\"} 1",
                "ingest_ack_duration_seconds_bucket{table=\"events\",le=\"+Inf\"} 1",
                "ingest_ack_duration_seconds_bucket{table=\"events\",le=\"5e-05\"} 0",
            ],
            line => Assert.Contains("\n" + line + "\n", WithoutScope(text)));
        await host.WaitForAsync("kestrel_");
        await host.WaitForAsync("http_server_request_duration_seconds_bucket{");
        Assert.Contains("\ndotnet_process_memory_working_set_bytes{", text);
        Assert.Matches("\ntarget_info\\{.*service_name=\"ingest\",service_version=\"[0-9.]+\".*\\} 1\n", text);
        await Promtool.CheckAsync(text);
    }

    [Fact]
    public async Task OpenMetrics_is_served_to_who_asks_for_it()
    {
        await using var host = await ObservedHost.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Add("Accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
        using var response = await host.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            response.Content.Headers.ContentType!.ToString());
        Assert.EndsWith("# EOF\n", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Metrics_answers_503_when_the_SDK_is_disabled()
    {
        await using var host = await ObservedHost.StartAsync(("OTEL_SDK_DISABLED", "true"));
        using var response = await host.Http.GetAsync("/metrics");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains("OTEL_SDK_DISABLED", await response.Content.ReadAsStringAsync());
    }

    private static string WithoutScope(string text) => text
        .Replace("otel_scope_name=\"Ingest.Server\",", "", StringComparison.Ordinal)
        .Replace("otel_scope_name=\"Ingest.Server\"", "", StringComparison.Ordinal);

    private static async Task AppendAsync(Lane lane, int rows)
    {
        var row = new Event
        {
            EventType = "t", EntityType = "e", EntityId = "x", Timestamp = Timestamp.FromDateTime(DateTime.UtcNow),
        }.ToByteArray();
        var sink = new Sink();
        var batch = lane.Rent();
        var decoder = new RowDecoder(lane.Table);
        for (var i = 0; i < rows; i++)
        {
            Assert.Equal(
                RowResult.Accepted,
                decoder.TryAppend(row, batch, DateTimeOffset.UtcNow.ToUnixTimeSeconds(), out _));
        }

        batch.AddEntry(new BatchEntry(sink, "", 0, 0, rows, 0, rows));
        lane.Return(batch);
        await sink.Committed.Task.WaitAsync(Wait.Limit);
    }

    private sealed class Sink : AppendSink
    {
        public TaskCompletionSource Committed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void OnCommitted(in BatchEntry entry) => Committed.SetResult();

        public override void OnFailed(in BatchEntry entry, Exception cause) => Committed.SetException(cause);
    }
}
