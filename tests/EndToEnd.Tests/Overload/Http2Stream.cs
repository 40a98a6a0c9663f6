using System.Buffers.Binary;
using System.Text.RegularExpressions;
using System.Threading.Channels;

namespace Ingest.EndToEnd.Tests.Overload;

/// <summary>A gRPC call on an <see cref="Http2Connection"/>.</summary>
internal sealed partial class Http2Stream(Http2Connection connection, int id)
{
    private readonly Channel<byte[]> _messages = Channel.CreateUnbounded<byte[]>();
    private byte[] _part = [];
    private long _sendWindow;
    private volatile bool _ended;

    public int Id => id;

    /// <summary>Bytes that may be sent.</summary>
    public long SendWindow
    {
        get => Volatile.Read(ref _sendWindow);
        init => _sendWindow = value;
    }

    public bool HasEnded => _ended;

    /// <summary>The <c>grpc-status</c>; -1 when none came.</summary>
    public int Status { get; private set; } = -1;

    /// <summary>Headers and trailers as they came, and what ended the stream if not the server.</summary>
    public string Text { get; private set; } = "";

    /// <summary>Responses; completed when the call has ended.</summary>
    public ChannelReader<byte[]> Messages => _messages.Reader;

    public Task SendAsync(ReadOnlyMemory<byte> data, bool end = false) => connection.SendAsync(this, data, end);

    internal void AddWindow(long bytes) => Interlocked.Add(ref _sendWindow, bytes);

    internal void Receive(ReadOnlySpan<byte> data)
    {
        byte[] all = [.. _part, .. data];
        int at = 0;
        while (all.Length - at >= 5)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(all.AsSpan(at + 1));
            if (all.Length - at - 5 < length)
            {
                break;
            }

            _messages.Writer.TryWrite(all[(at + 5)..(at + 5 + length)]);
            at += 5 + length;
        }

        _part = all[at..];
    }

    internal void TakeHeaders(string block)
    {
        Text += block;

        // A literal of one to two digits behind the name; index and Huffman forms are shut off by our settings.
        if (StatusField().Match(block) is { Success: true } status)
        {
            Status = int.Parse(status.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    internal void End(string text)
    {
        Text += text;
        _ended = true;
        _messages.Writer.TryComplete();
    }

    [GeneratedRegex("grpc-status[\u0001\u0002]([0-9]{1,2})")]
    private static partial Regex StatusField();
}
