using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Ingest.V1;

namespace Ingest.Load;

/// <summary>
/// An HTTP/2 connection that writes frames which were made before, with one thread to send and one to receive: little
/// more than the kernel's own work, so that a machine that has both has most of its time for the server.
/// </summary>
internal sealed class FrameConnection : IDisposable
{
    private const int ReceiveWindow = 4 << 20;
    private static readonly TimeSpan s_endTimeout = TimeSpan.FromSeconds(120);

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly Lock _sending = new();
    private readonly AutoResetEvent _changed = new(false);
    private readonly ManualResetEventSlim _settled = new(false);
    private readonly Dictionary<int, FrameStream> _byId;
    private readonly Uri _server;
    private readonly int _allStreams;
    private readonly long _laterSeconds;
    private readonly bool _isAppend;
    private long _window = 65_535;
    private int _received;
    private volatile bool _closed;

    /// <summary>Makes a connection.</summary>
    /// <param name="server">Where to.</param>
    /// <param name="streams">Its calls.</param>
    /// <param name="allStreams">Calls of all connections, which send one fleet's points together.</param>
    /// <param name="isAppend">Whether the calls are of Append.</param>
    /// <param name="laterSeconds">Seconds by which all points' times are moved.</param>
    public FrameConnection(
        Uri server, IReadOnlyList<FrameStream> streams, int allStreams, bool isAppend, long laterSeconds)
    {
        _laterSeconds = laterSeconds;
        _allStreams = allStreams;
        _server = server;
        _isAppend = isAppend;
        Streams = streams;
        _byId = streams.ToDictionary(stream => stream.Id);
    }

    /// <summary>Its calls.</summary>
    public IReadOnlyList<FrameStream> Streams { get; }

    /// <summary>Connects and opens the calls; returns when all may send.</summary>
    public void Open(Func<FrameStream, string> producerOf)
    {
        _socket.Connect(new IPEndPoint(IPAddress.Parse(_server.Host), _server.Port));
        Span<byte> settings = stackalloc byte[12];
        settings.Clear();
        settings[1] = 1; // No dynamic table, so that trailers can be read as they are.
        settings[7] = 4;
        BinaryPrimitives.WriteInt32BigEndian(settings[8..], ReceiveWindow);
        SendAll("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        SendFrame(4, 0, 0, settings);

        // Not before: what it answers to the server's settings may not come ahead of ours.
        new Thread(Receive) { IsBackground = true, Name = "receive" }.Start();
        if (!_settled.Wait(s_endTimeout))
        {
            throw new IOException("the server sent no settings");
        }

        foreach (FrameStream stream in Streams)
        {
            SendFrame(1, 4, stream.Id, Headers());
            if (_isAppend)
            {
                var open = new AppendRequest
                {
                    Open = new AppendOpen { ProducerId = producerOf(stream), SessionEpoch = 1, Table = "gps_points" },
                };
                SendAll(FrameMessage.Of(open.ToByteArray()).For(stream.Id, 0, 0));
            }
        }

        while (!Streams.All(stream => stream.IsOpen))
        {
            if (_closed || Streams.Any(stream => stream.HasEnded))
            {
                throw new IOException("a call was refused");
            }

            _changed.WaitOne(100);
        }
    }

    /// <summary>Sends what is due until it is time, then ends the calls and waits for the answers.</summary>
    /// <param name="messages">What is sent, in turn; this connection's own.</param>
    /// <param name="rows">Rows of each.</param>
    /// <param name="intervalMicros">Between two messages of a stream; 0 for as fast as it goes.</param>
    /// <param name="now">The load's clock in microseconds.</param>
    /// <param name="endMicros">When to end.</param>
    public void Run(FrameMessage[] messages, int rows, double intervalMicros, Func<long> now, long endMicros)
    {
        while (!_closed && now() is var time && time < endMicros && Streams.Any(stream => !stream.HasEnded))
        {
            if (Next(messages, time, out long nextDue) is { } stream)
            {
                FrameMessage message = messages[stream.NextMessage % messages.Length];
                stream.DueMicros = intervalMicros > 0 ? stream.DueMicros : time;
                long offset = stream.BeginSend(message, rows);
                Interlocked.Add(ref _window, -message.PayloadBytes);
                SendAll(message.For(
                    stream.Id, offset, _laterSeconds + PointMessages.SecondsOf(stream.NextOffset * _allStreams)));
                stream.DueMicros = intervalMicros > 0
                    ? (long)(stream.DueMicros + intervalMicros)
                    : time + 1; // Behind the others.
            }
            else if (nextDue > time)
            {
                Nap.For(Math.Min(nextDue, endMicros) - time);
            }
            else
            {
                // Something is due and may not go: it waits for a window, for credit, or for the time that it was told.
                _changed.WaitOne(1);
            }
        }

        foreach (FrameStream stream in Streams.Where(stream => !stream.HasEnded))
        {
            SendFrame(0, 1, stream.Id, []);
        }

        long until = now() + (long)s_endTimeout.TotalMicroseconds;
        while (!_closed && now() < until && Streams.Any(stream => !stream.HasEnded))
        {
            _changed.WaitOne(100);
        }
    }

    public void Dispose()
    {
        _closed = true;
        _socket.Dispose();
    }

    // The stream that has been due for longest and may send; a call that waits does not hold up the others.
    private FrameStream? Next(FrameMessage[] messages, long time, out long nextDue)
    {
        FrameStream? first = null;
        nextDue = long.MaxValue;
        long window = Volatile.Read(ref _window);
        foreach (FrameStream stream in Streams)
        {
            nextDue = stream.HasEnded ? nextDue : Math.Min(nextDue, stream.DueMicros);
            if (stream.DueMicros <= time && (first is null || stream.DueMicros < first.DueMicros)
                && messages[stream.NextMessage % messages.Length] is var message && window >= message.PayloadBytes
                && stream.MaySend(message, time))
            {
                first = stream;
            }
        }

        return first;
    }

    private byte[] Headers()
    {
        var block = new List<byte> { 0x83, 0x86, 0x04 };
        AddText(block, _isAppend ? "/ingest.v1.IngestService/Append" : "/ingest.v1.IngestService/StreamGpsPoints");
        block.Add(0x01);
        AddText(block, _server.Authority);
        block.AddRange([0x0f, 0x10]);
        AddText(block, "application/grpc");
        block.Add(0x00);
        AddText(block, "te");
        AddText(block, "trailers");
        return [.. block];
    }

    private static void AddText(List<byte> block, string text)
    {
        block.Add((byte)text.Length);
        block.AddRange(Encoding.ASCII.GetBytes(text));
    }

    private void SendFrame(byte type, byte flags, int stream, ReadOnlySpan<byte> body)
    {
        Span<byte> frame = stackalloc byte[FrameMessage.Header + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, body.Length << 8);
        frame[3] = type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame[5..], stream);
        body.CopyTo(frame[FrameMessage.Header..]);
        SendAll(frame);
    }

    private void SendAll(ReadOnlySpan<byte> bytes)
    {
        try
        {
            lock (_sending)
            {
                while (!bytes.IsEmpty)
                {
                    bytes = bytes[_socket.Send(bytes)..];
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _closed = true;
        }
    }

    private void Receive()
    {
        byte[] buffer = new byte[1 << 18];
        int held = 0;
        try
        {
            while (_socket.Receive(buffer.AsSpan(held)) is > 0 and var read)
            {
                held += read;
                int at = 0;
                while (held - at >= FrameMessage.Header
                    && FrameMessage.Header + (BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(at)) >>> 8) is var length
                    && held - at >= length)
                {
                    Take(buffer.AsSpan(at, length));
                    at += length;
                }

                buffer.AsSpan(at, held - at).CopyTo(buffer);
                held -= at;
                _changed.Set();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Ended by one side or the other.
        }

        _closed = true;
        _changed.Set();
    }

    private void Take(ReadOnlySpan<byte> frame)
    {
        int id = BinaryPrimitives.ReadInt32BigEndian(frame[5..]) & int.MaxValue;
        bool hasFlag = (frame[4] & 1) != 0;
        ReadOnlySpan<byte> body = frame[FrameMessage.Header..];
        FrameStream? stream = _byId.GetValueOrDefault(id);
        switch (frame[3])
        {
            case 0:
                stream?.Receive(body);
                GiveBack(body.Length);
                break;
            case 1:
                stream?.TakeHeaders(Encoding.Latin1.GetString(body));
                break;
            case 3:
                stream?.End();
                break;
            case 4 when !hasFlag:
                TakeSettings(body);
                SendFrame(4, 1, 0, []);
                _settled.Set();
                break;
            case 6 when !hasFlag:
                SendFrame(6, 1, 0, body);
                break;
            case 8 when id == 0:
                Interlocked.Add(ref _window, BinaryPrimitives.ReadInt32BigEndian(body));
                break;
            case 8:
                stream?.AddWindow(BinaryPrimitives.ReadInt32BigEndian(body));
                break;
        }

        if (frame[3] <= 1 && hasFlag)
        {
            stream?.End();
        }
    }

    private void TakeSettings(ReadOnlySpan<byte> settings)
    {
        long window = 65_535;
        for (; settings.Length >= 6; settings = settings[6..])
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(settings) == 4)
            {
                window = BinaryPrimitives.ReadUInt32BigEndian(settings[2..]);
            }
        }

        if (!_settled.IsSet)
        {
            foreach (FrameStream stream in Streams)
            {
                stream.AddWindow(window);
            }
        }
    }

    // The connection's window alone: a call is answered with far less than its own.
    private void GiveBack(int bytes)
    {
        _received += bytes;
        if (_received >= 16 * 1024)
        {
            Span<byte> grown = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(grown, _received);
            _received = 0;
            SendFrame(8, 0, 0, grown);
        }
    }
}
