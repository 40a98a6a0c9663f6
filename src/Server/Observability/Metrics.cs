using System.Diagnostics.Metrics;
using Ingest.Admission;
using Ingest.Log;
using Ingest.Server.Grpc;
using Ingest.Server.Realtime;
using Ingest.Server.Services;
using Ingest.Stores;

namespace Ingest.Server.Observability;

/// <summary>
/// What the server measures beside the pipeline: calls, log, store. Names and units stand here and nowhere else; they
/// follow OpenTelemetry, and <c>ingest.log.flush.duration</c> in seconds becomes
/// <c>ingest_log_flush_duration_seconds</c> in Prometheus.
/// </summary>
/// <remarks>
/// All but the histograms are read from counters that others keep anyway, when a scrape or an export asks: without one
/// they cost nothing. The histograms are recorded once a group of the log or once a batch.
/// </remarks>
internal sealed class Metrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Ingest.Server";

    /// <summary>The meters that the server shows: its own, the pipeline's, Kestrel's and .NET's.</summary>
    public static readonly string[] MeterNames =
    [
        MeterName, "Ingest", "Ingest.Agents", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime",
    ];

    /// <summary>Bounds of latencies, seconds: a flush takes 0.2 ms, a stalled disk seconds.</summary>
    private static readonly InstrumentAdvice<double> LatencyBounds = new()
    {
        HistogramBucketBoundaries =
        [
            0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
        ],
    };

    private static readonly string[] StatusNames =
        [.. Enum.GetValues<Protocol.StatusCode>().Order().Select(code => GrpcName(code.ToString()))];

    private readonly Meter _meter = new(MeterName);
    private readonly CallMetrics _calls;
    private LogMetrics? _log;
    private Histogram<double>? _flushes;
    private Histogram<double>? _acknowledgements;

    public Metrics(CallMetrics calls)
    {
        _calls = calls;
        _meter.CreateObservableCounter(
            "ingest.calls.started", () => OfMethods(m => m.Started), "{call}", "gRPC calls that came.");
        _meter.CreateObservableCounter(
            "ingest.calls.finished", FinishedCalls, "{call}", "gRPC calls that ended, by status.");
        _meter.CreateObservableUpDownCounter(
            "ingest.calls.active", () => OfMethods(m => m.Active), "{call}", "gRPC calls that run now.");
        _meter.CreateObservableCounter(
            "ingest.messages.received", () => OfMethods(m => m.Received), "{message}", "gRPC requests read.");
        _meter.CreateObservableCounter(
            "ingest.messages.sent", () => OfMethods(m => m.Sent), "{message}", "gRPC responses written.");
    }

    /// <summary>Shows what opening the log found. To be called once.</summary>
    public void Watch(RecoveryReport recovery)
    {
        _meter.CreateObservableCounter(
            "ingest.log.quarantined", () => recovery.Quarantined, "{piece}",
            "Damaged pieces of the log that the last start set aside.");
        _meter.CreateObservableCounter(
            "ingest.log.quarantined.rows", () => recovery.QuarantinedRows, "{row}", "Rows known to be in them.");
    }

    /// <summary>Shows a log. To be called once.</summary>
    public void Watch(LogMetrics log)
    {
        _log = log;
        _meter.CreateObservableCounter("ingest.log.rows", () => log.Rows, "{row}", "Rows made durable.");
        _meter.CreateObservableCounter("ingest.log.bytes", () => log.Bytes, "By", "Bytes of blocks made durable.");
        _meter.CreateObservableCounter("ingest.log.blocks", () => log.Blocks, "{block}", "Blocks made durable.");
        _meter.CreateObservableCounter(
            "ingest.log.groups", () => log.Groups, "{group}", "Groups of blocks made durable by one flush.");
        _meter.CreateObservableCounter(
            "ingest.log.groups.failed", () => log.FailedGroups, "{group}", "Groups of blocks that the disk refused.");
        _meter.CreateObservableCounter(
            "ingest.log.segments.sealed", () => log.SealedSegments, "{segment}",
            "Segments sealed, those found at start included.");
        _meter.CreateObservableUpDownCounter(
            "ingest.log.segments",
            () => ByState(log.OpenSegments, log.UnreleasedSegments), "{segment}",
            "Segments in the log: open, or sealed and not in the store yet.");
        _meter.CreateObservableUpDownCounter(
            "ingest.log.size", () => ByState(log.OpenBytes, log.UnreleasedBytes), "By",
            "Bytes of blocks in the log, by the state of their segment.");
        _meter.CreateObservableUpDownCounter(
            "ingest.log.queued", () => log.QueuedBytes, "By", "Bytes of closed batches that wait for the disk.");
        _flushes = _meter.CreateHistogram(
            "ingest.log.flush.duration", "s", "Time that a group's fsync took.", tags: null, LatencyBounds);
        _acknowledgements = _meter.CreateHistogram(
            "ingest.ack.duration", "s", "Time from a batch's first row to its acknowledgement.", tags: null,
            LatencyBounds);
        log.Flushed += OnFlushed;
        log.Acknowledged += OnAcknowledged;
    }

    /// <summary>Shows the tables of images, and what of the log no table claims. To be called once.</summary>
    public void Watch(SchemaReloader schemas, SegmentLog log)
    {
        _meter.CreateObservableCounter(
            "ingest.schemas.reloads", () => schemas.Status.Reloads, "{reload}",
            "Times that the images of Ingest:Schemas were read.");
        _meter.CreateObservableUpDownCounter(
            "ingest.schemas.tables", () => schemas.Status.Tables.Count, "{table}",
            "Tables of Ingest:Schemas that take rows.");
        _meter.CreateObservableUpDownCounter(
            "ingest.schemas.refused", () => schemas.Status.Refused.Count, "{change}",
            "Things that the images say and that are not in force, since they were refused.");
        _meter.CreateObservableUpDownCounter(
            "ingest.log.segments.unclaimed", () => log.UnclaimedTables.Values.Sum(), "{segment}",
            "Segments of tables that no schema declares; they are kept.");
    }

    /// <summary>Shows how a store keeps up. To be called once.</summary>
    public void Watch(Func<StoreWriterStatus> store)
    {
        _meter.CreateObservableCounter("ingest.store.rows", () => store().Rows, "{row}", "Rows stored.");
        _meter.CreateObservableCounter(
            "ingest.store.bytes", () => store().Bytes, "By", "Bytes of the segments stored.");
        _meter.CreateObservableCounter(
            "ingest.store.inserts", () => store().Inserts, "{insert}", "Segments inserted.");
        _meter.CreateObservableCounter(
            "ingest.store.inserts.spared", () => store().AlreadyStored, "{insert}",
            "Segments that the store had already, from before a restart or from a try that seemed to fail.");
        _meter.CreateObservableCounter(
            "ingest.store.inserts.failed", () => store().Failures, "{insert}", "Inserts that failed and are repeated.");
        _meter.CreateObservableCounter(
            "ingest.store.segments.quarantined", () => store().Quarantined, "{segment}",
            "Segments set aside, whole or in part, because the store refuses their data.");
        _meter.CreateObservableCounter(
            "ingest.store.rows.refused", () => store().DeadLetters, "{row}",
            "Rows that the store refused one by one; they are in dead_letters.");
        _meter.CreateObservableGauge(
            "ingest.store.lag", () => store().Lag.TotalSeconds, "s",
            "Age of the oldest sealed segment that is not in the store; 0 when all are.");
    }

    /// <summary>Shows what is taken, slowed and refused. To be called once.</summary>
    public void Watch(AdmissionControl admission)
    {
        _meter.CreateObservableGauge(
            "ingest.admission.state", () => new Measurement<int>[]
            {
                new((int)admission.MemoryState, Tag("of", "memory")), new((int)admission.Disk.State, Tag("of", "log")),
            },
            unit: null, "0 normal, 1 senders are slowed, 2 rows are refused.");
        _meter.CreateObservableUpDownCounter(
            "ingest.admission.senders", () => admission.SenderCount, "{sender}",
            "Senders with streams now: API keys, else producers, else addresses.");
        _meter.CreateObservableUpDownCounter(
            "ingest.memory.used", () => admission.Memory.UsedBytes, "By", "Memory of the process, without files.");
        _meter.CreateObservableUpDownCounter(
            "ingest.memory.limit", () => admission.MaxMemoryBytes, "By", "Memory at which rows are refused, about.");
        _meter.CreateObservableUpDownCounter(
            "ingest.memory.buffered", () => admission.Buffers.UsedBytes, "By",
            "Bytes of rows that are not durable yet and of requests that have come in part.");
        _meter.CreateObservableUpDownCounter(
            "ingest.log.limit", () => admission.Disk.LimitBytes, "By", "Bytes of the log at which rows are refused.");
    }

    /// <summary>Shows what subscriptions over gRPC cost, and which end. To be called once.</summary>
    public void Watch(SubscriptionSessions sessions)
    {
        _meter.CreateObservableCounter(
            "ingest.subscribe.refused", () => sessions.Refusals, "{call}",
            "Subscriptions over gRPC refused: too many, or no memory left.");
        _meter.CreateObservableCounter(
            "ingest.subscribe.unread", () => sessions.UnreadEnds, "{call}",
            "Subscriptions over gRPC ended since their subscriber took nothing.");
        _meter.CreateObservableUpDownCounter(
            "ingest.subscribe.unread.size", () => sessions.UnreadBytes, "By",
            "Bytes written to subscribers over gRPC that wait for them.");
    }

    /// <summary>Shows who is connected and what is pushed to them. To be called once.</summary>
    public void Watch(RealtimeMetrics realtime)
    {
        IEnumerable<Measurement<long>> OfTransports(Func<RealtimeMetrics.PerTransport, long> value) =>
            Enum.GetValues<RealtimeTransport>().Select(transport => new Measurement<long>(
                value(realtime.Of(transport)), Tag("transport", RealtimeStatus.NameOf(transport))));

        _meter.CreateObservableUpDownCounter(
            "ingest.realtime.connections", () => OfTransports(t => t.Active), "{connection}", "WebSockets and event streams now.");
        _meter.CreateObservableCounter(
            "ingest.realtime.connections.opened", () => OfTransports(t => t.Opened), "{connection}", "Connections that came.");
        _meter.CreateObservableCounter(
            "ingest.realtime.connections.refused", () => realtime.Refused, "{connection}",
            "Connections refused: too many, a page of another origin, a request that makes no sense.");
        _meter.CreateObservableCounter(
            "ingest.realtime.connections.unread", () => OfTransports(t => t.Unread), "{connection}",
            "Connections cut off since the client took nothing.");
        _meter.CreateObservableCounter(
            "ingest.realtime.connections.too_slow", () => OfTransports(t => t.TooSlow), "{connection}",
            "Connections that the overflow policy disconnect ended.");
        _meter.CreateObservableCounter(
            "ingest.realtime.messages.sent", () => OfTransports(t => t.Sent), "{message}", "Messages sent.");
        _meter.CreateObservableCounter(
            "ingest.realtime.sent", () => OfTransports(t => t.SentBytes), "By", "Bytes of the messages sent.");
        _meter.CreateObservableCounter(
            "ingest.realtime.messages.received", () => realtime.Received, "{message}", "Messages of clients.");
        _meter.CreateObservableCounter(
            "ingest.realtime.errors", () => realtime.Errors, "{error}", "Error messages sent, and connections cut off.");
        _meter.CreateObservableCounter(
            "ingest.realtime.broadcasts.missed", () => realtime.BroadcastsMissed, "{message}",
            "Messages to all that a connection did not get, since its client was slow.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_log is { } log)
        {
            log.Flushed -= OnFlushed;
            log.Acknowledged -= OnAcknowledged;
        }

        _meter.Dispose();
    }

    private static IEnumerable<Measurement<long>> ByState(long open, long sealedOnes) =>
        [new(open, Tag("state", "open")), new(sealedOnes, Tag("state", "sealed"))];

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    /// <summary><c>InvalidArgument</c> as gRPC spells it, <c>INVALID_ARGUMENT</c>.</summary>
    private static string GrpcName(string name) => string.Concat(name.Select(
        (c, i) => i > 0 && char.IsUpper(c) ? "_" + c : char.ToUpperInvariant(c).ToString()));

    private void OnFlushed(string table, TimeSpan duration) =>
        _flushes!.Record(duration.TotalSeconds, Tag("table", table));

    private void OnAcknowledged(string table, TimeSpan latency) =>
        _acknowledgements!.Record(latency.TotalSeconds, Tag("table", table));

    private IEnumerable<Measurement<long>> OfMethods(Func<MethodMetrics, long> value) =>
        _calls.Methods.Select(method => new Measurement<long>(value(method), Tag("method", method.Method)));

    // A method shows the statuses that it has had, and OK from the start, so that rates have a zero to begin with.
    private IEnumerable<Measurement<long>> FinishedCalls()
    {
        foreach (var method in _calls.Methods)
        {
            for (var code = 0; code < StatusNames.Length; code++)
            {
                var count = method.Finished((Protocol.StatusCode)code);
                if (count > 0 || code == 0)
                {
                    yield return new(count, Tag("method", method.Method), Tag("status", StatusNames[code]));
                }
            }
        }
    }
}
