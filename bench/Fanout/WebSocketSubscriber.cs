using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Ingest.Fanout;

/// <summary>A WebSocket of the broadcaster.</summary>
internal sealed class WebSocketSubscriber : Subscriber
{
    public WebSocketSubscriber(Socket socket, string authority)
        : base(socket) => socket.Send(Encoding.ASCII.GetBytes(
            $"GET / HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"));

    /// <inheritdoc/>
    protected override int Parse(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        if (!IsReady)
        {
            int end = bytes.IndexOf("\r\n\r\n"u8);
            if (end < 0)
            {
                return 0;
            }

            IsReady = bytes.StartsWith("HTTP/1.1 101"u8) ? true
                : throw new InvalidDataException(Encoding.ASCII.GetString(bytes));
            at = end + 4;
        }

        while (bytes.Length - at >= 2)
        {
            ReadOnlySpan<byte> frame = bytes[at..];
            int head = frame[1] switch { < 126 => 2, 126 => 4, _ => 10 };
            if (frame.Length < head)
            {
                break;
            }

            int length = head switch
            {
                2 => frame[1],
                4 => BinaryPrimitives.ReadUInt16BigEndian(frame[2..]),
                _ => (int)BinaryPrimitives.ReadInt64BigEndian(frame[2..]),
            };
            if (frame.Length < head + length)
            {
                break;
            }

            // Text and binary; the broadcaster sends nothing else.
            if ((frame[0] & 0x0f) is not (1 or 2))
            {
                throw new InvalidDataException($"A frame with opcode {frame[0] & 0x0f} came.");
            }

            Count(frame.Slice(head, length));
            at += head + length;
        }

        return at;
    }
}
