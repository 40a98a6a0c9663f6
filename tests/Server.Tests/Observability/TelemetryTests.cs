using System.Diagnostics;
using Ingest.Server.Grpc;
using Ingest.Server.Tests.Grpc;
using Ingest.Testing.V1;

namespace Ingest.Server.Tests.Observability;

[Collection(ObservedHost.OneAtATime)]
public sealed class TelemetryTests
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string ParentId = "00f067aa0ba902b7";
    private const string Fail = "/ingest.testing.v1.ProbeService/Fail";

    [Fact]
    public async Task Metrics_and_traces_reach_the_OTLP_endpoint()
    {
        await using var collector = await FakeCollector.StartAsync();
        await using (var host = await ObservedHost.StartAsync(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Url), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "50"), ("OTEL_BSP_SCHEDULE_DELAY", "50"),
            ("OTEL_SERVICE_NAME", "tested-here")))
        {
            await RawCall.SendAsync(host.Grpc, Fail, Frames.Of([]), ("traceparent", $"00-{TraceId}-{ParentId}-01"));
            await Wait.UntilAsync(
                () => collector.Has("/v1/metrics", "ingest.calls.finished")
                    && collector.Has("/v1/metrics", "dotnet.gc.collections")
                    && collector.Has("/v1/traces", Convert.FromHexString(TraceId)),
                "metrics and the call's span arrive");
            Assert.Contains(host.Log.Entries, entry => entry.Text.Contains(collector.Url, StringComparison.Ordinal));
        }

        Assert.True(collector.Has("/v1/traces", Convert.FromHexString(ParentId)));
        Assert.True(collector.Has("/v1/traces", "ingest.testing.v1.ProbeService/Fail"));
        Assert.All(collector.Received, request => Assert.Equal("application/x-protobuf", request.ContentType));
        Assert.True(collector.Has("/v1/metrics", "tested-here"));
        Assert.True(collector.Has("/v1/traces", "tested-here"));
    }

    [Fact]
    public async Task What_is_left_is_exported_when_the_server_stops()
    {
        await using var collector = await FakeCollector.StartAsync();
        await using (var host = await ObservedHost.StartAsync(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Url), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "3600000"), ("OTEL_BSP_SCHEDULE_DELAY", "3600000")))
        {
            await RawCall.SendAsync(host.Grpc, Fail, Frames.Of([]));
            Assert.Empty(collector.Received);
            await host.App.StopAsync();
        }

        Assert.True(collector.Has("/v1/metrics", "ingest.calls.finished"));
        Assert.True(collector.Has("/v1/traces", "ingest.testing.v1.ProbeService/Fail"));
    }

    [Fact]
    public async Task Call_has_one_span_under_the_clients()
    {
        await using var host = await ObservedHost.StartAsync();
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == CallTracing.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
            {
                lock (spans)
                {
                    spans.Add(span);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);

        var request = Frames.Of(new FailRequest { Kind = FailRequest.Types.Kind.Exception });
        var traceId = ActivityTraceId.CreateRandom().ToHexString();
        await RawCall.SendAsync(
            host.Grpc, Fail, request, ("traceparent", $"00-{traceId}-{ParentId}-01"), ("tracestate", "vendor=1"));
        await Wait.UntilAsync(() => Of(traceId).Count == 1, "the span ends");
        await RawCall.SendAsync(host.Grpc, Fail, request, ("traceparent", "nonsense"), ("tracestate", traceId));

        var span = Assert.Single(Of(traceId));
        Assert.Equal("ingest.testing.v1.ProbeService/Fail", span.DisplayName);
        Assert.Equal((ActivityKind.Server, ParentId), (span.Kind, span.ParentSpanId.ToHexString()));
        Assert.Equal("vendor=1", span.TraceStateString);
        Assert.True(span.HasRemoteParent);
        Assert.Equal("grpc", span.GetTagItem("rpc.system"));
        Assert.Equal("ingest.testing.v1.ProbeService", span.GetTagItem("rpc.service"));
        Assert.Equal("Fail", span.GetTagItem("rpc.method"));
        Assert.Equal(2, span.GetTagItem("rpc.grpc.status_code"));
        Assert.Equal(ActivityStatusCode.Error, span.Status);
        await Wait.UntilAsync(() => All().Any(other => other.Parent is null && other.ParentSpanId == default),
            "an unreadable parent starts a trace");

        List<Activity> Of(string trace) => [.. All().Where(s => s.TraceId.ToHexString() == trace)];

        List<Activity> All()
        {
            lock (spans)
            {
                return [.. spans];
            }
        }
    }
}
