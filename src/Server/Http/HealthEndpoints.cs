using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ingest.Server.Observability;
using Microsoft.Net.Http.Headers;

namespace Ingest.Server.Http;

/// <summary>
/// <c>/health</c> tells people and dashboards how the server is, <c>/health/live</c> that it runs, and
/// <c>/health/ready</c> whether to send it traffic.
/// </summary>
internal static class HealthEndpoints
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Maps the three.</summary>
    public static void Map(IEndpointRouteBuilder endpoints, Health health)
    {
        endpoints.MapGet("/health", http => WriteHealthAsync(http, health)).WithDisplayName("Health");
        endpoints.MapGet("/health/live", WriteLiveAsync).WithDisplayName("Liveness");
        endpoints.MapGet("/health/ready", http => WriteReadyAsync(http, health)).WithDisplayName("Readiness");
    }

    private static async Task WriteHealthAsync(HttpContext http, Health health)
    {
        var report = await health.ReportAsync();
        var body = new JsonObject
        {
            ["status"] = report.Status,
            ["service"] = ServerInfo.Name,
            ["version"] = ServerInfo.Version,
            ["uptime_seconds"] = Math.Round(health.Uptime.TotalSeconds, 3),
        };
        foreach (var (name, value) in health.Details)
        {
            body[name] = value();
        }

        AddFaults(body, report);
        await WriteAsync(http, StatusCodes.Status200OK, body);
    }

    private static Task WriteLiveAsync(HttpContext http) =>
        WriteAsync(http, StatusCodes.Status200OK, new JsonObject { ["status"] = "ok" });

    private static async Task WriteReadyAsync(HttpContext http, Health health)
    {
        var report = await health.ReportAsync();
        var body = new JsonObject { ["status"] = report.Status };
        AddFaults(body, report);
        await WriteAsync(
            http, report.Ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, body);
    }

    private static void AddFaults(JsonObject body, HealthReport report)
    {
        if (report.Faults.Count > 0)
        {
            body["faults"] = new JsonObject(
                report.Faults.Select(fault => KeyValuePair.Create(fault.Key, (JsonNode?)fault.Value)));
        }
    }

    private static Task WriteAsync(HttpContext http, int status, JsonObject body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.Headers[HeaderNames.CacheControl] = "no-store";
        return http.Response.WriteAsync(body.ToJsonString(Readable) + "\n", http.RequestAborted);
    }
}
