using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Net.Http.Headers;

namespace Ingest.Server.Realtime;

/// <summary>
/// Which pages may connect: those of the server's own origin and those of <see cref="RealtimeOptions.AllowedOrigins"/>.
/// </summary>
/// <remarks>
/// Browsers let any page open a WebSocket to any server and send its cookies along; the <c>Origin</c> header is all
/// that tells. What is no browser can send what it likes, so this protects people with browsers, not data.
/// </remarks>
internal sealed class OriginPolicy
{
    private readonly ICorsService _cors;
    private readonly CorsPolicy _policy;

    public OriginPolicy(RealtimeOptions options, ICorsService cors)
    {
        _cors = cors;
        CorsPolicyBuilder policy = new CorsPolicyBuilder()
            .WithMethods(HttpMethods.Get)
            .AllowAnyHeader()
            .WithExposedHeaders(SseStream.StartHeader, HeaderNames.RetryAfter)
            .SetPreflightMaxAge(TimeSpan.FromHours(1));
        _policy = (options.AllowedOrigins.Contains("*")
            ? policy.AllowAnyOrigin()
            : policy.WithOrigins([.. options.AllowedOrigins])).Build();
    }

    /// <summary>Whether a request comes from a page that may connect, or from no page.</summary>
    public bool Allows(HttpRequest request)
    {
        string origin = request.Headers.Origin.ToString();
        return origin.Length == 0 || _policy.AllowAnyOrigin || _policy.IsOriginAllowed(origin)
            || IsOwn(origin, request.Host);
    }

    /// <summary>Lets pages of other origins read the answer, and answers what their browsers ask before.</summary>
    /// <returns>Whether that was all.</returns>
    public bool Apply(HttpContext http)
    {
        if (http.Request.Headers.Origin.Count > 0)
        {
            CorsResult result = _cors.EvaluatePolicy(http, _policy);
            _cors.ApplyResult(result, http.Response);
        }

        if (!HttpMethods.IsOptions(http.Request.Method))
        {
            return false;
        }

        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }

    // Only host and port: before a proxy that ends TLS the page's scheme is another than ours.
    private static bool IsOwn(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri)
        && string.Equals(uri.Authority, host.Value, StringComparison.OrdinalIgnoreCase);
}
