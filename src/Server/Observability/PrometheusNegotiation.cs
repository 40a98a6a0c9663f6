using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Ingest.Server.Observability;

/// <summary>Chooses the format of a scrape by its Accept header (RFC 9110, 12.5.1).</summary>
internal static class PrometheusNegotiation
{
    private const string OpenMetricsType = "application/openmetrics-text";

    /// <summary>The format that the client likes best; the plain one when it has no preference that we know.</summary>
    public static PrometheusFormat Choose(StringValues accept)
    {
        if (!MediaTypeHeaderValue.TryParseList(accept, out var ranges))
        {
            return PrometheusFormat.Text;
        }

        double openMetrics = 0;
        double text = 0;
        foreach (var range in ranges)
        {
            var quality = range.Quality ?? 1;
            if (range.MediaType.Equals(OpenMetricsType, StringComparison.OrdinalIgnoreCase))
            {
                openMetrics = Math.Max(openMetrics, IsServedVersion(range, "1.0.0") ? quality : 0);
            }
            else if (range.MatchesAllTypes || range.Type.Equals("text", StringComparison.OrdinalIgnoreCase))
            {
                text = Math.Max(text, IsServedVersion(range, "0.0.4") ? quality : 0);
            }
        }

        return openMetrics > 0 && openMetrics >= text ? PrometheusFormat.OpenMetrics : PrometheusFormat.Text;
    }

    /// <summary>The Content-Type of a format.</summary>
    public static string ContentType(PrometheusFormat format) => format switch
    {
        PrometheusFormat.OpenMetrics => $"{OpenMetricsType}; version=1.0.0; charset=utf-8",
        _ => "text/plain; version=0.0.4; charset=utf-8",
    };

    private static bool IsServedVersion(MediaTypeHeaderValue range, string version)
    {
        foreach (var parameter in range.Parameters)
        {
            if (parameter.Name.Equals("version", StringComparison.OrdinalIgnoreCase))
            {
                return HeaderUtilities.RemoveQuotes(parameter.Value).Equals(version, StringComparison.Ordinal);
            }
        }

        return true;
    }
}
