using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Ingest.Server.Tests.Observability;

/// <summary>An OTLP endpoint over HTTP that keeps what it is sent.</summary>
internal sealed class FakeCollector : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeCollector(WebApplication app) => _app = app;

    /// <summary>What came: path, content type and body.</summary>
    public ConcurrentQueue<(string Path, string? ContentType, byte[] Body)> Received { get; } = new();

    public string Url => _app.Urls.Single();

    public static async Task<FakeCollector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var collector = new FakeCollector(app);
        app.MapPost("/v1/{signal}", collector.TakeAsync);
        await app.StartAsync();
        return collector;
    }

    /// <summary>Whether a request to the path holds the bytes of the text.</summary>
    public bool Has(string path, string text) => Has(path, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>Whether a request to the path holds the bytes.</summary>
    public bool Has(string path, byte[] bytes) =>
        Received.Any(request => request.Path == path && request.Body.AsSpan().IndexOf(bytes) >= 0);

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task TakeAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        Received.Enqueue((http.Request.Path.Value!, http.Request.ContentType, body.ToArray()));
    }
}
