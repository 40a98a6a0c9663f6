using System.Buffers;
using Microsoft.Net.Http.Headers;

namespace Ingest.Server.Observability;

/// <summary>Answers scrapes.</summary>
internal sealed class PrometheusEndpoint(PrometheusExporter exporter)
{
    /// <summary>Answers <c>GET /metrics</c>: 200 with all metrics, or 503 when there is nothing to collect.</summary>
    public async Task InvokeAsync(HttpContext http)
    {
        var format = PrometheusNegotiation.Choose(http.Request.Headers.Accept);
        var response = http.Response;
        var collected = await exporter.ScrapeAsync(format, Copy, http.RequestAborted);
        if (!collected)
        {
            response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            await response.WriteAsync("Metrics are not collected: the server starts or stops, "
                + "or OTEL_SDK_DISABLED is set.\n", http.RequestAborted);
            return;
        }

        // The scrape after this one need not wait until the client has read it all.
        await response.BodyWriter.FlushAsync(http.RequestAborted);

        void Copy(ReadOnlyMemory<byte> text)
        {
            response.ContentType = PrometheusNegotiation.ContentType(format);
            response.ContentLength = text.Length;
            response.Headers[HeaderNames.CacheControl] = "no-store";
            response.Headers[HeaderNames.Vary] = HeaderNames.Accept;
            response.BodyWriter.Write(text.Span);
        }
    }
}
