using Microsoft.AspNetCore.Hosting.Server;

namespace Ingest.Server.Http2;

/// <inheritdoc/>
internal sealed class Http2Application<TContext>(IHttpApplication<TContext> application) : Http2Application
    where TContext : notnull
{
    /// <inheritdoc/>
    public override Http2Stream CreateStream(Http2Connection connection, int id) =>
        new Http2Stream<TContext>(connection, id, application);
}
