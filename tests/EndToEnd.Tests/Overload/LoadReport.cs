using System.Globalization;
using System.Text.Json;

namespace Ingest.EndToEnd.Tests.Overload;

/// <summary>What became of a load: the last line that its process writes.</summary>
internal sealed record LoadReport
{
    /// <summary>Rows acknowledged as durable while the load was on, a second.</summary>
    public double RowsPerSecond { get; init; }

    /// <summary>Durable offset of each producer at the end, by its driver's id.</summary>
    public Dictionary<string, long> Durable { get; init; } = [];

    /// <summary>First offset of each that was never sent.</summary>
    public Dictionary<string, long> Sent { get; init; } = [];

    /// <summary>Refusals by reason.</summary>
    public Dictionary<string, int> Refusals { get; init; } = [];

    /// <summary>Calls that ended before their time, by status.</summary>
    public Dictionary<string, int> Ended { get; init; } = [];

    /// <summary>Milliseconds from a request's sending to its durable acknowledgement.</summary>
    public double AckP50 { get; init; }

    public double AckP99 { get; init; }

    public double AckMax { get; init; }

    public static LoadReport Parse(string line) => JsonSerializer.Deserialize<LoadReport>(line)!;

    public string ToLine() => JsonSerializer.Serialize(this);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{RowsPerSecond,9:0} rows/s, ack p50 {AckP50:0.0} p99 {AckP99:0.0} max {AckMax:0} ms, refusals "
        + $"[{string.Join(", ", Refusals.Select(r => $"{r.Key} {r.Value}"))}], ended "
        + $"[{string.Join(", ", Ended.Select(e => $"{e.Key} {e.Value}"))}]");
}
