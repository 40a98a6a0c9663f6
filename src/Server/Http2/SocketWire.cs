using System.Net.Sockets;

namespace Ingest.Server.Http2;

/// <summary>A socket in clear, read and written on the thread that wants to, without anything between.</summary>
internal sealed class SocketWire : Wire
{
    private readonly Socket _socket;

    public SocketWire(Socket socket)
    {
        _socket = socket;

        // What the kernel does not take, or does not have, is said at once instead of waited for.
        socket.Blocking = false;
    }

    /// <inheritdoc/>
    public override int TryReceive(Span<byte> target)
    {
        try
        {
            int count = _socket.Receive(target, SocketFlags.None, out SocketError error);
            return error switch
            {
                SocketError.Success => count,
                SocketError.WouldBlock or SocketError.Interrupted => Nothing,
                _ => throw Broken(new SocketException((int)error)),
            };
        }
        catch (ObjectDisposedException error)
        {
            throw Broken(error);
        }
    }

    /// <inheritdoc/>
    public override ValueTask<int> WaitToReceiveAsync() => _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);

    /// <inheritdoc/>
    public override ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        int count;
        SocketError error;
        try
        {
            count = _socket.Send(bytes.Span, SocketFlags.None, out error);
        }
        catch (ObjectDisposedException gone)
        {
            throw Broken(gone);
        }

        return error switch
        {
            SocketError.Success when count > 0 => new ValueTask<int>(count),
            SocketError.Success or SocketError.WouldBlock or SocketError.Interrupted => WaitAsync(_socket, bytes),
            _ => throw Broken(new SocketException((int)error)),
        };

        static async ValueTask<int> WaitAsync(Socket socket, ReadOnlyMemory<byte> bytes)
        {
            try
            {
                return await socket.SendAsync(bytes, SocketFlags.None);
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                throw Broken(error);
            }
        }
    }

    /// <inheritdoc/>
    public override void Shutdown()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // It is gone already.
        }
    }

    private static IOException Broken(Exception cause) => new("The connection broke.", cause);
}
