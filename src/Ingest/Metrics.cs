using System.Diagnostics.Metrics;
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

    internal Metrics()
    {
        _rows = _meter.CreateCounter<long>("ingest.rows", "{row}", "Rows received, rejected ones included.");
        _bytes = _meter.CreateCounter<long>("ingest.bytes", "By", "Bytes of requests received.");
        _rejects = _meter.CreateCounter<long>("ingest.rejects", "{row}", "Rows rejected.");
        _refusals = _meter.CreateCounter<long>(
            "ingest.refusals", "{refusal}", "Requests and calls refused for want of memory or disk, by reason.");
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

    internal void OnRejected(string table, RowErrorCode code) => _rejects.Add(
        1, new("table", table), new("reason", DeadLetters.ReasonName(code)));
}
