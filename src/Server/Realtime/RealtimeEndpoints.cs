using System.Text.Json;
using Ingest.Agents;
using Ingest.Server.Grpc;
using Ingest.Server.Http;
using Ingest.Topics;
using Microsoft.AspNetCore.Cors.Infrastructure;

namespace Ingest.Server.Realtime;

/// <summary>
/// The way in: <c>/ws</c> and the paths of the settings, <c>/stream/events</c>, <c>/stream/topic/{topic}</c>,
/// <c>/realtime/status</c> and <c>/realtime/connections</c>.
/// </summary>
internal static class RealtimeEndpoints
{
    private static readonly string[] s_methods = [HttpMethods.Get, HttpMethods.Options];

    /// <summary>Maps them all, and shows them in <c>/health</c> and <c>/metrics</c>.</summary>
    /// <param name="routes">Where to; the transport of gRPC has to be registered, for its drain.</param>
    /// <param name="options">The settings; nothing is mapped unless <see cref="RealtimeOptions.Enabled"/>.</param>
    /// <param name="topics">What is followed.</param>
    /// <param name="askAgent">Asks an agent; null where there are none.</param>
    /// <returns>What connections share.</returns>
    public static RealtimeServices MapRealtime(
        this IEndpointRouteBuilder routes, RealtimeOptions options, TopicHub topics,
        Func<AgentRequest, CancellationToken, Task<AgentAnswer>>? askAgent)
    {
        IServiceProvider registered = routes.ServiceProvider;
        var services = new RealtimeServices(
            options, topics, askAgent, registered.GetRequiredService<Drain>(),
            new OriginPolicy(options, registered.GetRequiredService<ICorsService>()),
            registered.GetRequiredService<TimeProvider>(),
            registered.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(RealtimeEndpoints)));
        RealtimeStatus.AddTo(registered.GetRequiredService<Health>(), services);
        registered.GetRequiredService<Observability.Metrics>().Watch(services.Metrics);
        if (options.Enabled)
        {
            Map(routes, services);
        }

        return services;
    }

    private static void Map(IEndpointRouteBuilder routes, RealtimeServices services)
    {
        RealtimeOptions options = services.Options;
        if (options.WebSocket.Enabled)
        {
            MapSocket(routes, services, new WebSocketPath { Path = WebSocketOptions.DefaultPath });
            foreach (WebSocketPath path in options.WebSocket.Paths)
            {
                MapSocket(routes, services, path);
            }
        }

        if (options.Sse.Enabled)
        {
            routes.MapMethods(
                "/stream/events", s_methods, http => StreamAsync(http, services, [])).WithDisplayName("Events");
            routes.MapMethods(
                "/stream/topic/{topic}", s_methods,
                http => StreamAsync(http, services, [(string)http.Request.RouteValues["topic"]!]))
                .WithDisplayName("Topic");
        }

        routes.MapMethods(
            "/realtime/status", s_methods, http => ReportAsync(http, services, RealtimeStatus.WriteStatus))
            .WithDisplayName("Realtime status");
        routes.MapMethods(
            "/realtime/connections", s_methods, http => ReportAsync(http, services, RealtimeStatus.WriteConnections))
            .WithDisplayName("Realtime connections");
    }

    /// <summary>Answers with a sentence for people.</summary>
    public static Task RefuseAsync(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        if (status == StatusCodes.Status503ServiceUnavailable)
        {
            http.Response.Headers.RetryAfter = "1";
        }

        return http.Response.WriteAsync(text + "\n", http.RequestAborted);
    }

    private static void MapSocket(IEndpointRouteBuilder routes, RealtimeServices services, WebSocketPath path) =>
        routes.MapGet(path.Path, http => ServeSocketAsync(http, services, path.Topics))
            .WithDisplayName($"WebSocket {path.Path}");

    private static async Task ServeSocketAsync(
        HttpContext http, RealtimeServices services, IReadOnlyList<string> topics)
    {
        if (WebSocketHandshake.Fault(http) is { } fault)
        {
            services.Metrics.OnRefused();
            await WebSocketHandshake.RefuseAsync(http, fault);
            return;
        }

        if (!await TryEnterAsync(http, services))
        {
            return;
        }

        RealtimeMetrics.PerTransport counts = services.Metrics.Of(RealtimeTransport.WebSocket);
        counts.OnOpened();
        try
        {
            DeflateOffer? deflate = services.Options.WebSocket.Compression
                && DeflateOffer.TryChoose(http.Request.Headers.SecWebSocketExtensions, out DeflateOffer offer)
                ? offer
                : null;
            Stream stream = await WebSocketHandshake.AcceptAsync(http, deflate);
            using var connection = new WebSocketConnection(http, services, stream, deflate?.ServerWindowBits);
            services.Connections.Add(connection);
            try
            {
                await connection.RunAsync(AtOnce(http.Request, topics));
            }
            finally
            {
                services.Connections.Remove(connection);
            }
        }
        finally
        {
            counts.OnClosed();
            services.Connections.Leave();
        }
    }

    // What a path names, and what an address asks for.
    private static (SubscriptionRequest? Request, string Field, string Fault)? AtOnce(
        HttpRequest request, IReadOnlyList<string> topics) =>
        topics.Count > 0 || request.Query.ContainsKey("topics")
            ? SubscriptionRequest.Read(request.Query, topics, lastEventId: "")
            : null;

    private static async Task StreamAsync(HttpContext http, RealtimeServices services, IReadOnlyList<string> topics)
    {
        if (services.Origins.Apply(http) || !await TryEnterAsync(http, services))
        {
            return;
        }

        RealtimeMetrics.PerTransport counts = services.Metrics.Of(RealtimeTransport.Sse);
        counts.OnOpened();
        try
        {
            if (topics.Count == 0 && !http.Request.Query.ContainsKey("topics"))
            {
                topics = [">"];
            }

            (SubscriptionRequest? request, string field, string fault) = SubscriptionRequest.Read(
                http.Request.Query, topics, http.Request.Headers["Last-Event-ID"].ToString());
            if (request is null)
            {
                services.Metrics.OnRefused();
                await RefuseAsync(http, StatusCodes.Status400BadRequest, $"{field}: {fault}");
                return;
            }

            await new SseStream(http, services).RunAsync(request);
        }
        catch (TopicException e) when (!http.Response.HasStarted)
        {
            services.Metrics.OnRefused();
            await RefuseAsync(http, StatusCodes.Status400BadRequest, $"{e.Field}: {e.Message}");
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client left before it was answered.
        }
        finally
        {
            counts.OnClosed();
            services.Connections.Leave();
        }
    }

    private static async Task<bool> TryEnterAsync(HttpContext http, RealtimeServices services)
    {
        if (!services.Origins.Allows(http.Request))
        {
            services.Metrics.OnRefused();
            await RefuseAsync(
                http, StatusCodes.Status403Forbidden,
                "Pages of this origin may not connect: Ingest:Realtime:AllowedOrigins does not name it.");
            return false;
        }

        if (services.Connections.TryEnter() is { } why)
        {
            services.Metrics.OnRefused();
            await RefuseAsync(http, StatusCodes.Status503ServiceUnavailable, why);
            return false;
        }

        return true;
    }

    private static async Task ReportAsync(
        HttpContext http, RealtimeServices services, Action<Utf8JsonWriter, RealtimeServices> write)
    {
        if (services.Origins.Apply(http))
        {
            return;
        }

        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        await using var json = new Utf8JsonWriter(http.Response.BodyWriter, new JsonWriterOptions { Indented = true });
        write(json, services);
        await json.FlushAsync(http.RequestAborted);
        await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
    }
}
