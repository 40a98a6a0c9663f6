using System.Net.Sockets;
using System.Text;
using Ingest.Server.Http2.Hpack;
using Ingest.Server.Tests.Grpc;
using Ingest.Server.Tests.Http2.Hpack;

namespace Ingest.Server.Tests.Http2;

/// <summary>A client that sends the frames it is told to and notes what comes back.</summary>
internal sealed class RawConnection : IAsyncDisposable
{
    private static readonly byte[] s_preface = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly Dictionary<uint, RawResponse> _responses = [];
    private readonly Dictionary<uint, long> _credits = [];
    private readonly HpackDecoder _decoder;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly List<byte> _block = [];
    private ArraySegment<byte> _unread;
    private byte _pings;

    private RawConnection(uint headerTableSize) => _decoder = new HpackDecoder((int)headerTableSize);

    /// <summary>The stream that the next request is sent on.</summary>
    public uint NextStream { get; private set; } = 1;

    /// <summary>Frames in the order in which they came.</summary>
    public List<RawFrame> Frames { get; } = [];

    /// <summary>Settings of the server.</summary>
    public Dictionary<RawSetting, uint> ServerSettings { get; } = [];

    public int SettingsAcks { get; private set; }

    public List<byte> PingAcks { get; } = [];

    public (uint LastStream, RawError Error)? GoAway { get; private set; }

    public bool IsClosed { get; private set; }

    /// <summary>Connects, and sends nothing.</summary>
    public static async Task<RawConnection> ConnectAsync(Uri address, uint headerTableSize = 4096)
    {
        var connection = new RawConnection(headerTableSize);
        await connection._socket.ConnectAsync(address.Host, address.Port);
        return connection;
    }

    /// <summary>Connects; the preface and both sides' settings have been exchanged.</summary>
    public static async Task<RawConnection> OpenAsync(Uri address, params (RawSetting Id, uint Value)[] settings)
    {
        var table = settings.Where(setting => setting.Id == RawSetting.HeaderTableSize).Select(setting => setting.Value);
        var connection = await ConnectAsync(address, table.DefaultIfEmpty(4096u).Last());
        await connection.SendPrefaceAsync();
        await connection.SendAsync(RawFrame.Settings(settings));
        await connection.UntilAsync(() => connection.SettingsAcks == 1, "the settings are acknowledged");
        await connection.SendAsync(RawFrame.SettingsAck());
        return connection;
    }

    public Task SendPrefaceAsync() => SendAsync(s_preface);

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await _socket.SendAsync(bytes, limit.Token)..];
        }
    }

    /// <summary>Sends frames with one write.</summary>
    public Task SendAsync(params RawFrame[] frames)
    {
        foreach (var frame in frames.Where(frame => frame.Type == RawType.Headers && frame.Stream % 2 == 1))
        {
            NextStream = Math.Max(NextStream, frame.Stream + 2);
        }

        return SendAsync(frames.SelectMany(frame => frame.ToBytes()).ToArray());
    }

    /// <summary>Sends what fits into the socket without waiting for the server to read; false when it does not.</summary>
    public async Task<bool> TrySendAsync(ReadOnlyMemory<byte> bytes, TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        try
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[await _socket.SendAsync(bytes, limit.Token)..];
            }

            return true;
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            return false;
        }
    }

    public RawResponse Response(uint stream)
    {
        if (!_responses.TryGetValue(stream, out var response))
        {
            _responses.Add(stream, response = new RawResponse());
        }

        return response;
    }

    /// <summary>Bytes that WINDOW_UPDATEs gave a stream, or the connection (0).</summary>
    public long Credit(uint stream) => _credits.GetValueOrDefault(stream);

    /// <summary>Reads frames until the condition holds.</summary>
    public async Task UntilAsync(Func<bool> condition, string what)
    {
        while (!condition())
        {
            Assert.True(await ReadAsync(), $"closed before {what}; {Story()}");
        }
    }

    /// <summary>Reads all that comes before the answer to a ping.</summary>
    public async Task<bool> PingAsync()
    {
        var ping = ++_pings;
        if (!await TrySendAsync(RawFrame.Ping(ping).ToBytes(), Wait.Limit))
        {
            return false;
        }

        while (!PingAcks.Contains(ping))
        {
            if (!await ReadAsync())
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads a frame; false at the end of the connection.</summary>
    public async Task<bool> ReadAsync()
    {
        if (!await FillAsync(RawFrame.HeaderBytes))
        {
            return false;
        }

        var length = (_unread[0] << 16) | (_unread[1] << 8) | _unread[2];
        if (!await FillAsync(RawFrame.HeaderBytes + length))
        {
            return false;
        }

        var stream = (uint)((_unread[5] << 24) | (_unread[6] << 16) | (_unread[7] << 8) | _unread[8]);
        var frame = new RawFrame((RawType)_unread[3], _unread[4], stream,
            _unread.Slice(RawFrame.HeaderBytes, length).ToArray());
        _unread = _unread[(RawFrame.HeaderBytes + length)..];
        Frames.Add(frame);
        Note(frame);
        return true;
    }

    /// <summary>Reads to the end of the connection.</summary>
    public async Task<bool> EndsAsync()
    {
        while (_unread.Count == 0 && !IsClosed)
        {
            // What does not speak HTTP/2 need not be answered in it.
            if (!await FillAsync(1))
            {
                return true;
            }

            _unread = default;
        }

        return IsClosed;
    }

    /// <summary>Says that nothing more will be sent, and goes on reading.</summary>
    public void FinishSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Resets the TCP connection.</summary>
    public void Abort() => _socket.Close(0);

    /// <summary>What came, for messages.</summary>
    public string Story() => string.Join(", ", Frames.TakeLast(20)) + (GoAway is { } end ? $", {end}" : "");

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Note(RawFrame frame)
    {
        switch (frame.Type)
        {
            case RawType.Data:
                var response = Response(frame.Stream);
                Assert.False(response.IsOver, $"DATA of a stream that is over; {Story()}");
                Assert.True(response.Blocks > 0, $"DATA before headers; {Story()}");
                response.Body.AddRange(frame.Payload);
                response.DataFrames++;
                response.LargestDataFrame = Math.Max(response.LargestDataFrame, frame.Payload.Length);
                response.Ended = (frame.Flags & RawFrame.EndStream) != 0;
                break;
            case RawType.Headers:
                NoteBlock(frame, (frame.Flags & RawFrame.EndStream) != 0);
                break;
            case RawType.Continuation:
                NoteBlock(frame, Response(frame.Stream).Ended);
                break;
            case RawType.Reset:
                Response(frame.Stream).ResetBy ??= (RawError)frame.NumberAt(0);
                break;
            case RawType.Settings when (frame.Flags & RawFrame.Ack) != 0:
                SettingsAcks++;
                break;
            case RawType.Settings:
                for (var at = 0; at < frame.Payload.Length; at += 6)
                {
                    var id = (RawSetting)((frame.Payload[at] << 8) | frame.Payload[at + 1]);
                    ServerSettings[id] = frame.NumberAt(at + 2);
                }

                break;
            case RawType.Ping when (frame.Flags & RawFrame.Ack) != 0:
                PingAcks.Add(frame.Payload[0]);
                break;
            case RawType.GoAway:
                GoAway = (frame.NumberAt(0), (RawError)frame.NumberAt(4));
                break;
            case RawType.WindowUpdate:
                _credits[frame.Stream] = Credit(frame.Stream) + frame.NumberAt(0);
                break;
            default:
                break;
        }
    }

    private void NoteBlock(RawFrame frame, bool ends)
    {
        var response = Response(frame.Stream);
        _block.AddRange(frame.Payload);
        response.Ended = ends;
        if ((frame.Flags & RawFrame.EndHeaders) != 0)
        {
            var (error, list) = _decoder.Decode([.. _block]);
            Assert.Equal(HpackError.None, error);
            response.Fields.AddRange(list.Lines);
            response.Blocks++;
            _block.Clear();
        }
    }

    private async Task<bool> FillAsync(int count)
    {
        if (_unread.Count >= count)
        {
            return true;
        }

        Assert.InRange(count, 0, _buffer.Length);
        _unread.AsSpan().CopyTo(_buffer);
        _unread = new ArraySegment<byte>(_buffer, 0, _unread.Count);
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (_unread.Count < count && !IsClosed)
        {
            try
            {
                var read = await _socket.ReceiveAsync(_buffer.AsMemory(_unread.Count), limit.Token);
                _unread = new ArraySegment<byte>(_buffer, 0, _unread.Count + read);
                IsClosed = read == 0;
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"Nothing came within {Wait.Limit}; credit {string.Join(" ", _credits)}; {Story()}");
            }
            catch (SocketException e) when (e.SocketErrorCode
                is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                IsClosed = true;
            }
        }

        return _unread.Count >= count;
    }
}
