using System.Diagnostics.Metrics;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest;

/// <summary>What the pipeline measures. Names follow OpenTelemetry: a unit with each, base units.</summary>
public sealed class Metrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Ingest";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _rows;
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _rejects;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _updates;
    private readonly Histogram<double> _publishes;
    private readonly Counter<long> _gaps;
    private readonly Counter<long> _dropped;

    internal Metrics()
    {
        _rows = _meter.CreateCounter<long>("ingest.rows", "{row}", "Rows received, rejected ones included.");
        _bytes = _meter.CreateCounter<long>("ingest.bytes", "By", "Bytes of requests received.");
        _rejects = _meter.CreateCounter<long>("ingest.rejects", "{row}", "Rows rejected.");
        _refusals = _meter.CreateCounter<long>(
            "ingest.refusals", "{refusal}", "Requests and calls refused for want of memory or disk, by reason.");
        _updates = _meter.CreateCounter<long>("ingest.topic.updates", "{update}", "Updates published, by table.");
        _publishes = _meter.CreateHistogram<double>(
            "ingest.topic.publish.duration", "s", "From a group of updates being taken to being durable and readable.");
        _gaps = _meter.CreateCounter<long>(
            "ingest.topic.gaps", "{gap}", "Gaps given to subscribers, by topic and reason.");
        _dropped = _meter.CreateCounter<long>(
            "ingest.topic.dropped", "{update}", "Updates that subscribers did not get and gaps stand for.");
    }

    /// <summary>The meter.</summary>
    internal Meter Meter => _meter;

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal void OnReceived(string table, long rows, long bytes)
    {
        var tag = new KeyValuePair<string, object?>("table", table);
        _rows.Add(rows, tag);
        _bytes.Add(bytes, tag);
    }

    /// <summary>Counts a request or a call that was refused.</summary>
    public void OnRefused(RefusalReason reason) => _refusals.Add(
        1, new KeyValuePair<string, object?>("reason", reason.ToString().ToUpperInvariant()));

    /// <summary>Shows the size of the topics, when a scrape asks.</summary>
    internal void Watch(TopicHub hub)
    {
        _meter.CreateObservableGauge(
            "ingest.topic.ring.bytes",
            () => hub.Sizes().Select(topic => new Measurement<long>(topic.Bytes, OfTopic(topic.Name))),
            "By", "Bytes of a topic's updates in memory.");
        _meter.CreateObservableGauge(
            "ingest.topic.subscribers",
            () => hub.Sizes().Select(topic => new Measurement<int>(topic.Subscribers, OfTopic(topic.Name))),
            "{subscription}", "Subscriptions that follow a topic.");
    }

    internal void OnPublished(string table, int updates, TimeSpan duration)
    {
        var tag = new KeyValuePair<string, object?>("table", table);
        _updates.Add(updates, tag);
        _publishes.Record(duration.TotalSeconds, tag);
    }

    internal void OnGap(string topic, GapReason reason, long dropped)
    {
        KeyValuePair<string, object?> ofTopic = OfTopic(topic);
        KeyValuePair<string, object?> ofReason = new("reason", reason.ToString().ToUpperInvariant());
        _gaps.Add(1, ofTopic, ofReason);
        _dropped.Add(dropped, ofTopic, ofReason);
    }

    private static KeyValuePair<string, object?> OfTopic(string name) => new("topic", name);

    internal void OnRejected(string table, RowErrorCode code) => _rejects.Add(
        1, new("table", table), new("reason", DeadLetters.ReasonName(code)));
}
