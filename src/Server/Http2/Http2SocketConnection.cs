using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Ingest.Server.Http2;

/// <summary>
/// A connection that our listener took. Nothing reads or writes the socket, and no pipe is made, until somebody asks:
/// <see cref="Http2Connection"/> for the socket itself, middleware such as TLS for <see cref="Transport"/>.
/// </summary>
internal sealed class Http2SocketConnection : ConnectionContext, IConnectionSocketFeature
{
    private static long s_lastId;

    private readonly long _number = Interlocked.Increment(ref s_lastId);
    private readonly Lock _gate = new();
    private CancellationTokenSource? _closed;
    private string? _id;
    private IDictionary<object, object?>? _items;
    private IDuplexPipe? _transport;
    private bool _isClosed;

    public Http2SocketConnection(Socket socket)
    {
        Socket = socket;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        Features.Set<IConnectionSocketFeature>(this);
    }

    /// <inheritdoc/>
    public Socket Socket { get; }

    /// <summary>Whether nothing stands between the socket and who serves the connection.</summary>
    public bool IsBare => _transport is null;

    /// <inheritdoc/>
    public override string ConnectionId
    {
        get => _id ??= _number.ToString("X8", CultureInfo.InvariantCulture);
        set => _id = value;
    }

    /// <inheritdoc/>
    public override IFeatureCollection Features { get; } = new FeatureCollection();

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    /// <inheritdoc/>
    public override IDuplexPipe Transport
    {
        get => _transport ??= new StreamPipes(Socket);
        set => _transport = value;
    }

    /// <inheritdoc/>
    public override EndPoint? LocalEndPoint { get; set; }

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint { get; set; }

    /// <inheritdoc/>
    public override CancellationToken ConnectionClosed
    {
        get
        {
            lock (_gate)
            {
                return _isClosed ? new CancellationToken(canceled: true) : (_closed ??= new()).Token;
            }
        }

        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        try
        {
            Socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // It is gone already.
        }

        Socket.Dispose();
        Close();
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        Abort(new ConnectionAbortedException());
        return base.DisposeAsync();
    }

    private void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
        }

        _closed?.Cancel();
    }

    /// <summary>The socket as pipes.</summary>
    private sealed class StreamPipes : IDuplexPipe
    {
        public StreamPipes(Socket socket)
        {
            var stream = new NetworkStream(socket, ownsSocket: false);
            Input = PipeReader.Create(stream);
            Output = PipeWriter.Create(stream);
        }

        public PipeReader Input { get; }

        public PipeWriter Output { get; }
    }
}
