using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>A subscriber that speaks HTTP/2 by hand and allocates nothing when it reads; it only counts.</summary>
internal sealed class RawSubscriber : IAsyncDisposable
{
    private readonly Socket _socket;
    private readonly byte[] _buffer = GC.AllocateArray<byte>(1 << 20, pinned: true);
    private readonly byte[] _message = new byte[64 * 1024];
    private int _messageBytes;
    private int _used;
    private long _updates;

    private RawSubscriber(Socket socket) => _socket = socket;

    public static RawSubscriber Start(string address)
    {
        var uri = new Uri(address);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(uri.Host, uri.Port);
        socket.ReceiveTimeout = 20_000;
        using var hello = new MemoryStream();
        hello.Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        WriteFrame(hello, 4, 0, 0, [0, 4, 0x7f, 0xff, 0xff, 0xff]); // INITIAL_WINDOW_SIZE
        WriteFrame(hello, 8, 0, 0, [0x7f, 0, 0, 0]);
        WriteFrame(hello, 1, 4, 1, Headers(uri.Authority));
        WriteFrame(hello, 0, 0, 1, PointFrames.Frame(new SubscribeRequest
        {
            Start = new SubscribeStart
            {
                Topics = { SubscriptionHost.Topic }, Position = StartPosition.Earliest, Overflow = OverflowPolicy.Block,
            },
        }));
        socket.Send(hello.ToArray());
        return new RawSubscriber(socket);
    }

    /// <summary>Reads until so many updates have come.</summary>
    public void ReadUpdates(long count)
    {
        while (_updates < count)
        {
            _used += _socket.Receive(_buffer.AsSpan(_used), SocketFlags.None);
            int at = 0;
            while (_used - at >= 9)
            {
                int length = (_buffer[at] << 16) | (_buffer[at + 1] << 8) | _buffer[at + 2];
                if (_used - at < 9 + length)
                {
                    break;
                }

                if (_buffer[at + 3] == 0)
                {
                    TakeData(_buffer.AsSpan(at + 9, length));
                }

                at += 9 + length;
            }

            _buffer.AsSpan(at, _used - at).CopyTo(_buffer);
            _used -= at;
        }
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private void TakeData(ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            int wanted = _messageBytes < 5 ? 5 : 5 + BinaryPrimitives.ReadInt32BigEndian(_message.AsSpan(1));
            int taken = Math.Min(wanted - _messageBytes, data.Length);
            data[..taken].CopyTo(_message.AsSpan(_messageBytes));
            _messageBytes += taken;
            data = data[taken..];
            if (_messageBytes > 5 && _messageBytes == 5 + BinaryPrimitives.ReadInt32BigEndian(_message.AsSpan(1)))
            {
                _updates += _message[5] >> 3 == SubscribeResponse.UpdateFieldNumber ? 1 : 0;
                _messageBytes = 0;
            }
        }
    }

    private static void WriteFrame(Stream output, byte type, byte flags, byte stream, ReadOnlySpan<byte> payload)
    {
        output.Write([(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0,
            0, 0, stream]);
        output.Write(payload);
    }

    private static byte[] Headers(string authority)
    {
        using var block = new MemoryStream();
        block.Write([0x83, 0x86]);
        Literal(4, "/ingest.v1.SubscriptionService/Subscribe");
        Literal(1, authority);
        Literal(0, "content-type", "application/grpc");
        Literal(0, "te", "trailers");
        return block.ToArray();

        void Literal(byte index, params string[] texts)
        {
            block.WriteByte(index);
            foreach (string text in texts)
            {
                block.WriteByte((byte)text.Length);
                block.Write(Encoding.ASCII.GetBytes(text));
            }
        }
    }
}
