using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Ingest.Server.Http2;

/// <summary>Takes connections from a listening socket.</summary>
internal sealed class Http2Listener(Socket socket) : IConnectionListener
{
    /// <inheritdoc/>
    public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                Socket accepted = await socket.AcceptAsync(cancellationToken);
                accepted.NoDelay = true;
                return new Http2SocketConnection(accepted);
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.OperationAborted)
            {
                return null;
            }
            catch (SocketException)
            {
                // The client left while it waited to be taken, or there are no handles: the next one.
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        socket.Dispose();
        return default;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return default;
    }
}
