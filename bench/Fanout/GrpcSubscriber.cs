using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Ingest.V1;

namespace Ingest.Fanout;

/// <summary>Subscriptions of the server over one HTTP/2 connection.</summary>
internal sealed class GrpcSubscriber : Subscriber
{
    private const int FrameHeadBytes = 9;
    private const int MessageHeadBytes = 5;
    private const int MaxWindow = int.MaxValue;
    private const int GrantBytes = 1 << 30;

    private readonly Call[] _calls;
    private readonly byte[] _grant = new byte[13];
    private int _started;
    private long _ungranted;

    public GrpcSubscriber(Socket socket, int calls, string topic, string authority)
        : base(socket)
    {
        _calls = new Call[calls];
        using var hello = new MemoryStream();
        hello.Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);

        // SETTINGS_INITIAL_WINDOW_SIZE, and the same for the connection: the other servers know no windows.
        WriteFrame(hello, 4, 0, 0, [0, 4, 0x7f, 0xff, 0xff, 0xff]);
        WriteFrame(hello, 8, 0, 0, Number(MaxWindow - 65_535));
        byte[] headers = Headers(authority);
        byte[] start = Start(topic);
        for (int i = 0; i < calls; i++)
        {
            WriteFrame(hello, 1, 4, StreamId(i), headers);
            WriteFrame(hello, 0, 0, StreamId(i), start);
        }

        socket.Send(hello.ToArray());
    }

    /// <inheritdoc/>
    protected override int Parse(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        while (bytes.Length - at >= FrameHeadBytes)
        {
            ReadOnlySpan<byte> frame = bytes[at..];
            int length = (frame[0] << 16) | (frame[1] << 8) | frame[2];
            if (frame.Length < FrameHeadBytes + length)
            {
                break;
            }

            TakeFrame(
                frame[3], frame[4], BinaryPrimitives.ReadInt32BigEndian(frame[5..]) & int.MaxValue,
                frame.Slice(FrameHeadBytes, length));
            at += FrameHeadBytes + length;
        }

        return at;
    }

    private void TakeFrame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        const byte ack = 1;
        switch (type)
        {
            case 0:
                TakeData(ref _calls[stream / 2], stream, payload);
                break;
            case 4 when (flags & ack) == 0:
                Send(4, ack, []);
                break;
            case 6 when (flags & ack) == 0:
                Send(6, ack, payload);
                break;
            case 3 or 7:
            case 1 when (flags & 1) != 0:
                throw new InvalidDataException($"The server ended stream {stream} by a frame of type {type}.");
        }
    }

    private void TakeData(ref Call call, int stream, ReadOnlySpan<byte> data)
    {
        Grant(ref call, stream, data.Length);
        if (call.RestBytes > 0)
        {
            data = Join(call, data);
        }

        while (data.Length >= MessageHeadBytes)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(data[1..]);
            if (data.Length < MessageHeadBytes + length)
            {
                break;
            }

            TakeMessage(data.Slice(MessageHeadBytes, length));
            data = data[(MessageHeadBytes + length)..];
        }

        if (data.Length > (call.Rest?.Length ?? 0))
        {
            call.Rest = new byte[data.Length + 512];
        }

        data.CopyTo(call.Rest);
        call.RestBytes = data.Length;
    }

    private static byte[] Join(Call call, ReadOnlySpan<byte> data)
    {
        byte[] joined = new byte[call.RestBytes + data.Length];
        call.Rest.AsSpan(0, call.RestBytes).CopyTo(joined);
        data.CopyTo(joined.AsSpan(call.RestBytes));
        return joined;
    }

    // By the tag of the response's field: 1 started, 2 update, 4 heartbeat; a gap would be updates that are missing.
    private void TakeMessage(ReadOnlySpan<byte> message)
    {
        switch (message[0] >> 3)
        {
            case SubscribeResponse.UpdateFieldNumber:
                Count(message);
                break;
            case SubscribeResponse.StartedFieldNumber:
                IsReady = ++_started == _calls.Length;
                break;
            case SubscribeResponse.GapFieldNumber:
                throw new InvalidDataException($"A gap came: {SubscribeResponse.Parser.ParseFrom(message)}");
        }
    }

    private void Grant(ref Call call, int stream, int bytes)
    {
        if ((_ungranted += bytes) >= GrantBytes)
        {
            SendGrant(0, (int)_ungranted);
            _ungranted = 0;
        }

        if ((call.Ungranted += bytes) >= GrantBytes)
        {
            SendGrant(stream, call.Ungranted);
            call.Ungranted = 0;
        }
    }

    private void SendGrant(int stream, int bytes)
    {
        _grant[2] = 4;
        _grant[3] = 8;
        BinaryPrimitives.WriteInt32BigEndian(_grant.AsSpan(5), stream);
        BinaryPrimitives.WriteInt32BigEndian(_grant.AsSpan(9), bytes);
        Socket.Send(_grant);
    }

    private void Send(byte type, byte flags, ReadOnlySpan<byte> payload)
    {
        using var frame = new MemoryStream();
        WriteFrame(frame, type, flags, 0, payload);
        Socket.Send(frame.ToArray());
    }

    private static int StreamId(int call) => (2 * call) + 1;

    private static byte[] Number(int value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private static void WriteFrame(Stream output, byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        output.Write([(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags]);
        output.Write(Number(stream));
        output.Write(payload);
    }

    // HPACK without an index of its own: :method POST and :scheme http are in the static table.
    private static byte[] Headers(string authority)
    {
        using var block = new MemoryStream();
        block.Write([0x83, 0x86]);
        Literal(block, 4, "/ingest.v1.SubscriptionService/Subscribe");
        Literal(block, 1, authority);
        Literal(block, 0, "content-type", "application/grpc");
        Literal(block, 0, "te", "trailers");
        return block.ToArray();

        static void Literal(Stream block, byte index, params ReadOnlySpan<string> texts)
        {
            block.WriteByte(index);
            foreach (string text in texts)
            {
                block.WriteByte((byte)text.Length);
                block.Write(Encoding.ASCII.GetBytes(text));
            }
        }
    }

    private static byte[] Start(string topic)
    {
        byte[] request = new SubscribeRequest
        {
            Start = new SubscribeStart { Topics = { topic }, Position = StartPosition.New, Overflow = OverflowPolicy.Block },
        }.ToByteArray();
        return [0, .. Number(request.Length), .. request];
    }

    private struct Call
    {
        /// <summary>The beginning of a message that did not end in its frame.</summary>
        public byte[]? Rest;

        public int RestBytes;

        public int Ungranted;
    }
}
