using System.Buffers;
using Google.Protobuf;
using Ingest.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ingest.Client.Tests;

/// <summary>
/// Kestrel on a free loopback port, HTTP/2 in clear, that reads and writes frames by hand: so the client is tested
/// against the specification and not against our own transport, and the server can misbehave as a test wishes.
/// </summary>
internal sealed class FrameServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private FrameServer(WebApplication application) => _application = application;

    public Uri Address => new(_application.Services.GetRequiredService<IServer>()
        .Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public static async Task<FrameServer> StartAsync(RequestDelegate handler)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        var application = builder.Build();
        application.Run(context =>
        {
            context.Response.ContentType = GrpcHeaders.ContentType;
            return handler(context);
        });
        await application.StartAsync();
        return new FrameServer(application);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    /// <summary>Reads the next message; null at the end of the request.</summary>
    public static async Task<byte[]?> ReadAsync(HttpContext context)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            var buffer = read.Buffer;
            if (buffer.Length >= MessageFrame.HeaderBytes)
            {
                var header = new byte[MessageFrame.HeaderBytes];
                buffer.Slice(0, header.Length).CopyTo(header);
                Assert.Equal(0, MessageFrame.ReadHeader(header, out var length));
                if (buffer.Length >= header.Length + length)
                {
                    var message = buffer.Slice(header.Length, length).ToArray();
                    reader.AdvanceTo(buffer.GetPosition(header.Length + length));
                    return message;
                }
            }
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted)
            {
                Assert.Equal(0, buffer.Length);
                return null;
            }
        }
    }

    /// <summary>Reads all messages of a request.</summary>
    public static async Task<List<TMessage>> ReadAllAsync<TMessage>(HttpContext context)
        where TMessage : IMessage<TMessage>, new()
    {
        var messages = new List<TMessage>();
        while (await ReadAsync(context) is { } bytes)
        {
            var message = new TMessage();
            message.MergeFrom(bytes);
            messages.Add(message);
        }
        return messages;
    }

    /// <summary>Writes a message, and ends the call with OK.</summary>
    public static async Task AnswerAsync(HttpContext context, IMessage response)
    {
        await WriteAsync(context, response.ToByteArray());
        End(context, StatusCode.Ok);
    }

    /// <summary>Writes a message.</summary>
    public static async Task WriteAsync(HttpContext context, byte[] message, byte flags = 0)
    {
        var frame = new byte[MessageFrame.HeaderBytes + message.Length];
        MessageFrame.WriteHeader(frame, flags, message.Length);
        message.CopyTo(frame, MessageFrame.HeaderBytes);
        await context.Response.BodyWriter.WriteAsync(frame);
    }

    /// <summary>Writes the status: into trailers, or into headers when nothing was written before.</summary>
    public static void End(HttpContext context, StatusCode status, string message = "", byte[]? details = null)
    {
        Append(context, GrpcHeaders.Status, ((int)status).ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (message.Length > 0)
        {
            Append(context, GrpcHeaders.Message, PercentEncoding.Encode(message));
        }
        if (details is not null)
        {
            Append(context, GrpcHeaders.StatusDetails, Metadata.EncodeBinary(details));
        }
    }

    /// <summary>Writes a trailer, or a header when nothing was written before.</summary>
    public static void Append(HttpContext context, string name, string value)
    {
        if (context.Response.HasStarted)
        {
            context.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers[name] = value;
        }
        else
        {
            context.Response.Headers[name] = value;
        }
    }
}
