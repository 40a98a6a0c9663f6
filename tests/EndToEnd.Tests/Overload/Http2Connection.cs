using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ingest.EndToEnd.Tests.Overload;

/// <summary>
/// An HTTP/2 connection by hand, frames of RFC 9113: cheap enough to load a server from the same machine, and able to
/// do what no proper client does, such as never reading.
/// </summary>
internal sealed class Http2Connection : IAsyncDisposable
{
    /// <summary>Window for a client that reads.</summary>
    public const int OpenWindow = 1 << 20;

    private const int MaxFrame = 16 * 1024;
    private const int FrameHeader = 9;

    private readonly Socket _socket;
    private readonly string _authority;
    private readonly int _window;
    private readonly SemaphoreSlim _sending = new(1);
    private readonly ConcurrentDictionary<int, Http2Stream> _streams = new();
    private readonly byte[] _out = new byte[8 * (MaxFrame + FrameHeader)];
    private readonly CancellationTokenSource _closed = new();
    private Task _receiving = Task.CompletedTask;
    private readonly TaskCompletionSource _settled = New();
    private TaskCompletionSource _windowGrew = New();
    private long _sendWindow = 65_535;
    private long _streamWindow = 65_535;
    private int _lastStream = -1;

    private Http2Connection(Socket socket, string authority, int window)
    {
        _socket = socket;
        _authority = authority;
        _window = window;
    }

    /// <summary>Connects. With a window of 0 the server can send nothing but headers.</summary>
    public static async Task<Http2Connection> ConnectAsync(string address, int window = OpenWindow)
    {
        var uri = new Uri(address);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(uri.Host), uri.Port));
        var connection = new Http2Connection(socket, uri.Authority, window);
        byte[] settings = new byte[12];

        // No dynamic table, so that header blocks can be read as they are; and our window.
        BinaryPrimitives.WriteUInt16BigEndian(settings, 1);
        BinaryPrimitives.WriteUInt16BigEndian(settings.AsSpan(6), 4);
        BinaryPrimitives.WriteInt32BigEndian(settings.AsSpan(8), window);
        await connection.SendRawAsync(Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
        await connection.SendFrameAsync(4, 0, 0, settings);
        connection._receiving = connection.ReceiveAsync();

        // Streams begin with the window that the server's settings give them.
        await connection._settled.Task.WaitAsync(TimeSpan.FromSeconds(60));
        return connection;
    }

    /// <summary>Whether the server, or the network, has ended the connection.</summary>
    public bool IsClosed => _closed.IsCancellationRequested;

    /// <summary>Begins a gRPC call.</summary>
    /// <param name="path">The method.</param>
    /// <param name="token">API key, or none.</param>
    public async Task<Http2Stream> OpenAsync(string path, string token = "")
    {
        var block = new List<byte> { 0x83, 0x86, 0x04 };
        AddText(block, path);
        block.Add(0x01);
        AddText(block, _authority);
        block.AddRange([0x0f, 0x10]);
        AddText(block, "application/grpc");
        block.Add(0x00);
        AddText(block, "te");
        AddText(block, "trailers");
        if (token.Length > 0)
        {
            block.AddRange([0x0f, 0x08]);
            AddText(block, $"Bearer {token}");
        }

        await _sending.WaitAsync();
        try
        {
            var stream = new Http2Stream(this, _lastStream += 2) { SendWindow = Volatile.Read(ref _streamWindow) };
            _streams[stream.Id] = stream;
            await SendFrameLockedAsync(1, 4, stream.Id, [.. block]);
            return stream;
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Sends data as the windows allow.</summary>
    /// <exception cref="IOException">The connection or the stream has ended.</exception>
    public async Task SendAsync(Http2Stream stream, ReadOnlyMemory<byte> data, bool end = false)
    {
        do
        {
            Task grew = Volatile.Read(ref _windowGrew).Task;
            if (_closed.IsCancellationRequested || stream.HasEnded)
            {
                throw new IOException("the call has ended");
            }

            await _sending.WaitAsync(_closed.Token);
            int written = 0;
            try
            {
                while (written + FrameHeader < _out.Length && (!data.IsEmpty || end))
                {
                    int count = (int)Math.Min(
                        Math.Min(data.Length, Math.Min(MaxFrame, _out.Length - written - FrameHeader)),
                        Math.Min(Volatile.Read(ref _sendWindow), stream.SendWindow));
                    if (count <= 0 && !data.IsEmpty)
                    {
                        break;
                    }

                    bool last = end && count == data.Length;
                    WriteHeader(_out.AsSpan(written), count, 0, last ? 1 : 0, stream.Id);
                    data.Span[..count].CopyTo(_out.AsSpan(written + FrameHeader));
                    written += FrameHeader + count;
                    data = data[count..];
                    end &= !last;
                    Interlocked.Add(ref _sendWindow, -count);
                    stream.AddWindow(-count);
                }

                if (written > 0)
                {
                    await SendRawAsync(_out.AsMemory(0, written));
                }
            }
            finally
            {
                _sending.Release();
            }

            if (!data.IsEmpty && written == 0)
            {
                await grew.WaitAsync(_closed.Token);
            }
        }
        while (!data.IsEmpty || end);
    }

    /// <summary>Leaves at once, with a reset.</summary>
    public async ValueTask DisposeAsync()
    {
        _socket.Close(0);
        await _receiving;
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static void AddText(List<byte> block, string text)
    {
        Assert.InRange(text.Length, 0, 126);
        block.Add((byte)text.Length);
        block.AddRange(Encoding.ASCII.GetBytes(text));
    }

    private static void WriteHeader(Span<byte> frame, int length, byte type, int flags, int stream)
    {
        BinaryPrimitives.WriteInt32BigEndian(frame, length << 8);
        frame[3] = type;
        frame[4] = (byte)flags;
        BinaryPrimitives.WriteInt32BigEndian(frame[5..], stream);
    }

    private async Task ReceiveAsync()
    {
        byte[] buffer = new byte[4 * (MaxFrame + FrameHeader)];
        int held = 0;
        try
        {
            while (await _socket.ReceiveAsync(buffer.AsMemory(held)) is > 0 and var read)
            {
                held += read;
                int at = 0;
                while (held - at >= FrameHeader)
                {
                    int length = BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(at)) >>> 8;
                    if (held - at < FrameHeader + length)
                    {
                        break;
                    }

                    await TakeAsync(buffer.AsMemory(at, FrameHeader + length));
                    at += FrameHeader + length;
                }

                buffer.AsSpan(at, held - at).CopyTo(buffer);
                held -= at;
            }
        }
        catch (Exception e) when (
            e is SocketException or ObjectDisposedException or IOException or OperationCanceledException)
        {
            // Ended by the other side or by the test.
        }

        await _closed.CancelAsync();
        _settled.TrySetException(new IOException("the connection is gone"));
        foreach (Http2Stream stream in _streams.Values)
        {
            stream.End("connection closed");
        }
    }

    private async Task TakeAsync(ReadOnlyMemory<byte> frame)
    {
        byte type = frame.Span[3];
        byte flags = frame.Span[4];
        int id = BinaryPrimitives.ReadInt32BigEndian(frame.Span[5..]) & int.MaxValue;
        ReadOnlyMemory<byte> body = frame[FrameHeader..];
        _streams.TryGetValue(id, out Http2Stream? stream);
        switch (type)
        {
            case 0:
                stream?.Receive(body.Span);
                await ReadMoreAsync(id, body.Length);
                break;
            case 1:
                stream?.TakeHeaders(Encoding.Latin1.GetString(body.Span));
                break;
            case 3:
                stream?.End($"reset {BinaryPrimitives.ReadInt32BigEndian(body.Span)}");
                break;
            case 4 when (flags & 1) == 0:
                TakeSettings(body.Span);
                await SendFrameAsync(4, 1, 0, []);
                _settled.TrySetResult();
                break;
            case 6 when (flags & 1) == 0:
                await SendFrameAsync(6, 1, 0, body.ToArray());
                break;
            case 8:
                int grown = BinaryPrimitives.ReadInt32BigEndian(body.Span);
                if (id == 0)
                {
                    Interlocked.Add(ref _sendWindow, grown);
                }
                else
                {
                    stream?.AddWindow(grown);
                }

                Interlocked.Exchange(ref _windowGrew, New()).TrySetResult();
                break;
        }

        if (type is 0 or 1 && (flags & 1) != 0 && stream is not null)
        {
            stream.End("");
        }

        if (stream is { HasEnded: true })
        {
            _streams.TryRemove(id, out _);
            Interlocked.Exchange(ref _windowGrew, New()).TrySetResult();
        }
    }

    private void TakeSettings(ReadOnlySpan<byte> settings)
    {
        for (; settings.Length >= 6; settings = settings[6..])
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(settings) == 4)
            {
                long window = BinaryPrimitives.ReadUInt32BigEndian(settings[2..]);
                long grown = window - Interlocked.Exchange(ref _streamWindow, window);
                foreach (Http2Stream stream in _streams.Values)
                {
                    stream.AddWindow(grown);
                }
            }
        }

        Interlocked.Exchange(ref _windowGrew, New()).TrySetResult();
    }

    private async Task ReadMoreAsync(int stream, int bytes)
    {
        if (bytes > 0 && _window > 0)
        {
            byte[] grown = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(grown, bytes);
            await SendFrameAsync(8, 0, 0, grown);
            await SendFrameAsync(8, 0, stream, grown);
        }
    }

    private async Task SendFrameAsync(byte type, int flags, int stream, byte[] body)
    {
        await _sending.WaitAsync();
        try
        {
            await SendFrameLockedAsync(type, flags, stream, body);
        }
        finally
        {
            _sending.Release();
        }
    }

    private Task SendFrameLockedAsync(byte type, int flags, int stream, byte[] body)
    {
        byte[] frame = new byte[FrameHeader + body.Length];
        WriteHeader(frame, body.Length, type, flags, stream);
        body.CopyTo(frame, FrameHeader);
        return SendRawAsync(frame);
    }

    private async Task SendRawAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[await _socket.SendAsync(bytes)..];
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException("the connection is gone", e);
        }
    }
}
