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
    private readonly Counter<long> _tooSlow;

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
        _tooSlow = _meter.CreateCounter<long>(
            "ingest.subscription.too_slow", "{subscription}",
            "Subscriptions that the overflow policy disconnect ended, by transport.");
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
        WatchSubscriptions(hub);
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

    /// <summary>Counts a subscription that was ended since it was slow.</summary>
    internal void OnTooSlow(string transport) => _tooSlow.Add(1, OfTransport(transport));

    private void WatchSubscriptions(TopicHub hub)
    {
        IEnumerable<Measurement<long>> Of(Func<SubscriptionTotals, long> value) =>
            hub.Totals().Select(totals => new Measurement<long>(value(totals), OfTransport(totals.Transport)));

        _meter.CreateObservableUpDownCounter(
            "ingest.subscription.active", () => Of(t => t.Active), "{subscription}", "Subscriptions now, by transport.");
        _meter.CreateObservableCounter(
            "ingest.subscription.begun", () => Of(t => t.Begun), "{subscription}", "Subscriptions begun, by transport.");
        _meter.CreateObservableCounter(
            "ingest.subscription.updates", () => Of(t => t.Delivered), "{update}",
            "Updates given to subscriptions, by transport.");
        _meter.CreateObservableCounter(
            "ingest.subscription.dropped", () => Of(t => t.Dropped), "{update}",
            "Updates that subscriptions would have got and gaps stand for, by transport.");
        _meter.CreateObservableCounter(
            "ingest.subscription.gaps", () => Of(t => t.Gaps), "{gap}", "Gaps given to subscriptions, by transport.");
        _meter.CreateObservableGauge(
            "ingest.subscription.lag.updates", () => Of(t => t.MostLagMessages), "{update}",
            "Updates that the subscription furthest behind has not looked at, by transport.");
        _meter.CreateObservableGauge(
            "ingest.subscription.lag",
            () => hub.Totals().Select(totals =>
                new Measurement<double>(totals.MostLagTime.TotalSeconds, OfTransport(totals.Transport))),
            "s", "Event time that the subscription furthest behind is behind, by transport.");
    }

    private static KeyValuePair<string, object?> OfTransport(string name) => new("transport", name);

    private static KeyValuePair<string, object?> OfTopic(string name) => new("topic", name);

    internal void OnRejected(string table, RowErrorCode code) => _rejects.Add(
        1, new("table", table), new("reason", DeadLetters.ReasonName(code)));
}
