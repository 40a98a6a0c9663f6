using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Ingest.Server.Http2;

/// <summary>Listens on every <see cref="Http2EndPoint"/>; Kestrel asks it before its own transport.</summary>
internal sealed class Http2ListenerFactory : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private const int Backlog = 512;

    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => endpoint is Http2EndPoint;

    /// <inheritdoc/>
    /// <exception cref="AddressInUseException">The port is taken.</exception>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endpoint);
            socket.Listen(Backlog);
        }
        catch (SocketException error)
        {
            socket.Dispose();
            throw error.SocketErrorCode == SocketError.AddressAlreadyInUse
                ? new AddressInUseException(error.Message, error)
                : error;
        }

        return new ValueTask<IConnectionListener>(new Http2Listener(socket));
    }
}
