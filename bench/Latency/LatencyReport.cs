using System.Globalization;
using System.Text;

namespace Ingest.Latency;

/// <summary>What was measured.</summary>
internal sealed record LatencyReport(
    IReadOnlyList<Sample> Samples, int Missing, double LoadPointsPerSecond, IReadOnlyDictionary<string, double> FlushMillis)
{
    public string ToText()
    {
        var text = new StringBuilder();
        text.AppendLine(Line($"{Samples.Count} points, {Missing} without a prediction; beside them {LoadPointsPerSecond:#,0} points/s"));
        text.AppendLine("| ms | p50 | p90 | p99 | p99.9 | max |").AppendLine("|---|---|---|---|---|---|");
        Row("point in to update out", s => s.Total);
        Row("in: socket to batch", s => s.In);
        Row("batch, first flush, agent", s => s.Agent);
        Row("out: second flush, ring, socket", s => s.Out);
        foreach ((string table, double millis) in FlushMillis)
        {
            text.AppendLine(Line($"mean flush of {table}: {millis:0.00} ms"));
        }

        return text.ToString();

        void Row(string name, Func<Sample, double> value)
        {
            double[] sorted = [.. Samples.Select(value).Order()];
            text.AppendLine(Line(
                $"| {name} | {At(0.5):0.00} | {At(0.9):0.00} | {At(0.99):0.00} | {At(0.999):0.00} | {At(1):0.00} |"));
            double At(double share) =>
                sorted.Length == 0 ? double.NaN : sorted[Math.Clamp((int)Math.Ceiling(sorted.Length * share) - 1, 0, sorted.Length - 1)];
        }
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
