using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Ingest.Server.Tests.Realtime;

/// <summary>A WebSocket client that sees frames as they are on the wire, and reads only when it is told to.</summary>
internal sealed class RawSocket : IDisposable
{
    // For what hangs; a machine that is starved takes its time.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly TcpClient _client;
    private readonly NetworkStream _stream;

    private RawSocket(TcpClient client, string answer)
    {
        (_client, Answer) = (client, answer);
        _stream = client.GetStream();
    }

    /// <summary>Status line and headers of the answer.</summary>
    public string Answer { get; }

    /// <summary>Connects and shakes hands.</summary>
    /// <param name="address">The address.</param>
    /// <param name="headers">
    /// Headers beside those that every client sends; an empty value leaves such a one out.
    /// </param>
    public static async Task<RawSocket> ConnectAsync(Uri address, params (string Name, string Value)[] headers)
    {
        var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(address.Host, address.Port).WaitAsync(s_limit);
        var fields = new Dictionary<string, string>
        {
            ["Host"] = address.Authority,
            ["Connection"] = "Upgrade",
            ["Upgrade"] = "websocket",
            ["Sec-WebSocket-Version"] = "13",
            ["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ==",
        };
        foreach ((string name, string value) in headers)
        {
            fields[name] = value;
        }

        string request = $"GET {address.PathAndQuery} HTTP/1.1\r\n"
            + string.Concat(fields.Where(f => f.Value.Length > 0).Select(f => $"{f.Key}: {f.Value}\r\n")) + "\r\n";
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        var answer = new StringBuilder();
        byte[] one = new byte[1];
        while (!answer.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one).AsTask().WaitAsync(s_limit);
            answer.Append((char)one[0]);
        }

        return new RawSocket(client, answer.ToString());
    }

    /// <summary>Sends bytes as they are.</summary>
    public Task SendAsync(params byte[] bytes) => _stream.WriteAsync(bytes).AsTask().WaitAsync(s_limit);

    /// <summary>Sends a text message of up to 64 KiB in one frame, masked with zeros.</summary>
    public Task SendTextAsync(string text)
    {
        byte[] payload = Encoding.UTF8.GetBytes(text);
        byte[] header = payload.Length < 126
            ? [0x81, (byte)(0x80 | payload.Length)]
            : [0x81, 0xFE, (byte)(payload.Length >> 8), (byte)payload.Length];
        return SendAsync([.. header, 0, 0, 0, 0, .. payload]);
    }

    /// <summary>Reads a frame: its first byte and its payload.</summary>
    public async Task<(byte First, byte[] Payload)> ReadAsync()
    {
        byte[] head = await ReadBytesAsync(2);
        int length = head[1] switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(await ReadBytesAsync(2)),
            127 => (int)BinaryPrimitives.ReadUInt64BigEndian(await ReadBytesAsync(8)),
            < 126 => head[1],
            _ => throw new InvalidDataException("a server's frame is masked"),
        };
        return (head[0], await ReadBytesAsync(length));
    }

    /// <summary>Reads until the server has closed the connection, and counts bytes.</summary>
    public async Task<long> ReadToEndAsync()
    {
        long total = 0;
        byte[] buffer = new byte[64 * 1024];
        try
        {
            while (await _stream.ReadAsync(buffer).AsTask().WaitAsync(s_limit) is > 0 and var read)
            {
                total += read;
            }
        }
        catch (IOException)
        {
            // Reset, which is an end too.
        }

        return total;
    }

    public void Dispose() => _client.Dispose();

    private async Task<byte[]> ReadBytesAsync(int count)
    {
        byte[] bytes = new byte[count];
        await _stream.ReadExactlyAsync(bytes).AsTask().WaitAsync(s_limit);
        return bytes;
    }
}
