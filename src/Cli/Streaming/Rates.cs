using System.Globalization;

namespace Ingest.Cli.Streaming;

/// <summary>Says how much went how fast.</summary>
internal static class Rates
{
    /// <summary>For example `480,000 rows/s`.</summary>
    public static string RowsPerSecond(long rows, TimeSpan elapsed) =>
        string.Create(CultureInfo.InvariantCulture, $"{rows / Seconds(elapsed):N0} rows/s");

    /// <summary>For example `31.2 MB/s`.</summary>
    public static string BytesPerSecond(long bytes, TimeSpan elapsed) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / Seconds(elapsed) / 1e6:N1} MB/s");

    private static double Seconds(TimeSpan elapsed) => Math.Max(elapsed.TotalSeconds, 0.001);
}
