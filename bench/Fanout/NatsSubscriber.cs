using System.Buffers.Text;
using System.Net.Sockets;

namespace Ingest.Fanout;

/// <summary>A subscriber of nats-server.</summary>
internal sealed class NatsSubscriber : Subscriber
{
    private static readonly byte[] s_pong = "PONG\r\n"u8.ToArray();

    public NatsSubscriber(Socket socket)
        : base(socket) =>
        socket.Send("CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB fanout 1\r\nPING\r\n"u8);

    /// <inheritdoc/>
    protected override int Parse(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        while (true)
        {
            ReadOnlySpan<byte> rest = bytes[at..];
            int lineEnd = rest.IndexOf("\r\n"u8);
            if (lineEnd < 0)
            {
                return at;
            }

            ReadOnlySpan<byte> line = rest[..lineEnd];
            int used = lineEnd + 2;
            if (line.StartsWith("MSG "u8))
            {
                if (!Utf8Parser.TryParse(line[(line.LastIndexOf((byte)' ') + 1)..], out int length, out _))
                {
                    throw new InvalidDataException(System.Text.Encoding.ASCII.GetString(line));
                }

                if (rest.Length < used + length + 2)
                {
                    return at;
                }

                Count(rest.Slice(used, length));
                used += length + 2;
            }
            else if (line.SequenceEqual("PING"u8))
            {
                Socket.Send(s_pong);
            }
            else if (line.SequenceEqual("PONG"u8))
            {
                IsReady = true;
            }
            else if (line.StartsWith("-ERR"u8))
            {
                throw new InvalidDataException(System.Text.Encoding.ASCII.GetString(line));
            }

            at += used;
        }
    }
}
