using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Ingest.Server.Http2;

/// <summary>Serves the connections of the gRPC port; one for all of them.</summary>
internal sealed class Http2Handler(IOptions<KestrelServerOptions> kestrel, ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger<Http2Connection>();

    /// <summary>What answers requests; known before the first connection is taken.</summary>
    public Http2Application? Application { get; set; }

    /// <summary>Serves a connection until it is closed.</summary>
    public Task ServeAsync(ConnectionContext connection)
    {
        Wire wire = connection is Http2SocketConnection { IsBare: true } bare
            ? new SocketWire(bare.Socket)
            : new PipeWire(connection.Transport);
        var limits = kestrel.Value.Limits;
        return new Http2Connection(connection, wire, Application!, limits, _logger).RunAsync();
    }
}
