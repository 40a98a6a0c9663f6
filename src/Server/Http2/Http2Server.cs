using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace Ingest.Server.Http2;

/// <summary>Kestrel, whose application our connections get to know.</summary>
internal sealed class Http2Server(IServer kestrel, Http2Handler handler) : IServer
{
    /// <inheritdoc/>
    public IFeatureCollection Features => kestrel.Features;

    /// <inheritdoc/>
    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull
    {
        handler.Application = new Http2Application<TContext>(application);
        return kestrel.StartAsync(application, cancellationToken);
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => kestrel.StopAsync(cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => kestrel.Dispose();
}
