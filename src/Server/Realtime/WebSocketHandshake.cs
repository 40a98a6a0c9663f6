using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Ingest.Server.Realtime;

/// <summary>Turns a request into a socket: RFC 6455 section 4.2, with the compression that we want.</summary>
/// <remarks>
/// Instead of ASP.NET Core's own, which cannot ask a client to keep no window between its messages: a browser that sent
/// one compressed message would hold 40 KiB of the server for as long as it is connected.
/// </remarks>
internal static class WebSocketHandshake
{
    /// <summary>The subprotocol that is chosen when a client names it.</summary>
    public const string Subprotocol = "ingest.v1";

    private const string Version = "13";
    private const int KeyBytes = 16;

    /// <summary>What is wrong with the request, and the status that says so; null when nothing is.</summary>
    public static (int Status, string Text)? Fault(HttpContext http)
    {
        IHeaderDictionary headers = http.Request.Headers;
        if (http.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true }
            || !headers.GetCommaSeparatedValues(HeaderNames.Upgrade)
                .Contains("websocket", StringComparer.OrdinalIgnoreCase))
        {
            return (StatusCodes.Status426UpgradeRequired, "Only WebSocket connections are served here.");
        }

        if (headers.SecWebSocketVersion != Version)
        {
            return (StatusCodes.Status426UpgradeRequired, $"Version {Version} of WebSocket is served here.");
        }

        Span<byte> key = stackalloc byte[KeyBytes + 2];
        return Convert.TryFromBase64String(headers.SecWebSocketKey.ToString(), key, out int length)
            && length == KeyBytes
            ? null
            : (StatusCodes.Status400BadRequest, "Sec-WebSocket-Key is missing or wrong.");
    }

    /// <summary>Says what is wrong.</summary>
    public static Task RefuseAsync(HttpContext http, (int Status, string Text) fault)
    {
        if (fault.Status == StatusCodes.Status426UpgradeRequired)
        {
            http.Response.Headers.Connection = HeaderNames.Upgrade;
            http.Response.Headers.Upgrade = "websocket";
            http.Response.Headers.SecWebSocketVersion = Version;
        }

        return RealtimeEndpoints.RefuseAsync(http, fault.Status, fault.Text);
    }

    /// <summary>Answers 101.</summary>
    /// <param name="http">A request without <see cref="Fault"/>.</param>
    /// <param name="deflate">The compression that is agreed on, if any.</param>
    /// <returns>What the client sends, and where to answer.</returns>
    public static async Task<Stream> AcceptAsync(HttpContext http, DeflateOffer? deflate)
    {
        IHeaderDictionary request = http.Request.Headers;
        IHeaderDictionary response = http.Response.Headers;
        response.Connection = HeaderNames.Upgrade;
        response.Upgrade = "websocket";
        response.SecWebSocketAccept = AcceptKey(request.SecWebSocketKey.ToString());
        if (deflate is { } offer)
        {
            response.SecWebSocketExtensions = offer.Answer;
        }

        if (request.GetCommaSeparatedValues(HeaderNames.SecWebSocketProtocol)
            .Contains(Subprotocol, StringComparer.Ordinal))
        {
            response.SecWebSocketProtocol = Subprotocol;
        }

        return await http.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
    }

    /// <summary>Makes the socket that reads messages and speaks in control frames.</summary>
    public static WebSocket Create(Stream transport, bool compressed, WebSocketOptions options) =>
        WebSocket.CreateFromStream(
            transport,
            new WebSocketCreationOptions
            {
                IsServer = true,
                KeepAliveInterval = options.PingPeriod,
                KeepAliveTimeout = options.PingTimeout,
                DangerousDeflateOptions = compressed
                    ? new WebSocketDeflateOptions { ClientContextTakeover = false, ServerContextTakeover = false }
                    : null,
            });

    private static string AcceptKey(string key)
    {
        // SHA-1 is what the RFC says; it guards nothing.
#pragma warning disable CA5350
        byte[] hash = SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
#pragma warning restore CA5350
        return Convert.ToBase64String(hash);
    }
}
