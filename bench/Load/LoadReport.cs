using System.Globalization;
using System.Text.Json;

namespace Ingest.Load;

/// <summary>What became of a load.</summary>
internal sealed record LoadReport
{
    /// <summary>Points acknowledged as durable in the time that counts.</summary>
    public required long Points { get; init; }

    /// <summary>Seconds that count.</summary>
    public required double Seconds { get; init; }

    /// <summary>Points that were rejected, of all that were sent.</summary>
    public required long Rejected { get; init; }

    /// <summary>Refusals in band, and calls that ended with an error.</summary>
    public required long Refusals { get; init; }

    /// <summary>Points sent; null where the load does not count them.</summary>
    public long? Sent { get; init; }

    /// <summary>What the load itself took of the processor, to make connections and from the first point to the last.</summary>
    public TimeSpan? Processor { get; init; }

    /// <summary>
    /// From when a message was due, sent or not, to its durable acknowledgement, so that a server that stalls does not
    /// hide the messages which it kept from being sent. Null where the method has no acks.
    /// </summary>
    public LatencyHistogram? Latency { get; init; }

    /// <summary>The report for people.</summary>
    public string ToText()
    {
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"{Points} points acknowledged durable in {Seconds:0.00} s: {Points / Seconds:0} points/s; {Rejected} rejected, "
            + $"{Refusals} refusals");
        if (Sent > 0 && Processor is { } processor)
        {
            text += string.Create(
                CultureInfo.InvariantCulture,
                $"{Environment.NewLine}sending took {processor.TotalSeconds:0.00} s of CPU, {processor.TotalMicroseconds / Sent:0.000} s a million points");
        }

        return Latency is not { Count: > 0 } latency
            ? text
            : text + Environment.NewLine + string.Create(
                CultureInfo.InvariantCulture,
                $"ack latency, ms, of {latency.Count} messages: p50 {latency.Percentile(0.5) / 1e3:0.00}  p90 "
                + $"{latency.Percentile(0.9) / 1e3:0.00}  p99 {latency.Percentile(0.99) / 1e3:0.00}  p99.9 "
                + $"{latency.Percentile(0.999) / 1e3:0.00}  max {latency.MaxMicros / 1e3:0.00}");
    }

    /// <summary>The report for programs, latencies in microseconds.</summary>
    public string ToJson() => JsonSerializer.Serialize(new
    {
        points = Points,
        seconds = Seconds,
        points_per_second = Points / Seconds,
        rejected = Rejected,
        refusals = Refusals,
        sent = Sent,
        processor_seconds = Processor?.TotalSeconds,
        ack_micros = Latency is not { Count: > 0 } latency ? null : new Dictionary<string, long>
        {
            ["count"] = latency.Count,
            ["p50"] = latency.Percentile(0.5),
            ["p90"] = latency.Percentile(0.9),
            ["p99"] = latency.Percentile(0.99),
            ["p999"] = latency.Percentile(0.999),
            ["max"] = latency.MaxMicros,
        },
    });
}
