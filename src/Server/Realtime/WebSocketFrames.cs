using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Ingest.Server.Realtime;

/// <summary>Writes text messages as frames, RFC 6455 section 5.2: unmasked, each message one frame.</summary>
/// <remarks>
/// Written here rather than by <see cref="System.Net.WebSockets.WebSocket.SendAsync(ArraySegment{byte},
/// System.Net.WebSockets.WebSocketMessageType, bool, CancellationToken)"/>: so an update's bytes are copied once, from
/// the topic into Kestrel's buffer; many messages share a flush; and a message can be put together from parts of which
/// one was compressed before. Runs on the thread of the subscription whose turn it is; allocates nothing for an update.
/// </remarks>
internal static class WebSocketFrames
{
    private const byte Text = 0x81;
    private const byte CompressedText = 0xC1;
    private const int MaxHeaderBytes = 10;

    // A stored block: no type bits but zeros, its length and the length's complement.
    private const int StoredHeaderBytes = 5;

    /// <summary>Writes a message.</summary>
    /// <returns>Bytes written.</returns>
    public static int WriteText(PipeWriter pipe, ReadOnlySpan<byte> message)
    {
        int header = WriteHeader(pipe, Text, message.Length);
        pipe.Write(message);
        return header + message.Length;
    }

    /// <summary>Writes an update: what all connections share, then the subscription's own.</summary>
    /// <param name="pipe">Where to.</param>
    /// <param name="json">The update.</param>
    /// <param name="tail">The subscription's own, up to the token.</param>
    /// <param name="resumeToken">The token; base64url, so that nothing in it needs escaping.</param>
    /// <returns>Bytes written.</returns>
    public static int WriteEvent(
        PipeWriter pipe, ReadOnlySpan<byte> json, ReadOnlySpan<byte> tail, ReadOnlySpan<byte> resumeToken)
    {
        ReadOnlySpan<byte> start = RealtimeMessages.EventStart;
        int length = start.Length + json.Length + tail.Length + resumeToken.Length + End.Length;
        int header = WriteHeader(pipe, Text, length);
        pipe.Write(start);
        pipe.Write(json);
        WriteTail(pipe, tail, resumeToken);
        return header + length;
    }

    /// <summary>Whether a subscription's own part fits into a stored block.</summary>
    public static bool CanDeflate(ReadOnlySpan<byte> tail, ReadOnlySpan<byte> resumeToken) =>
        tail.Length + resumeToken.Length + End.Length <= ushort.MaxValue;

    /// <summary>Writes an update of which the shared part is compressed.</summary>
    /// <param name="pipe">Where to.</param>
    /// <param name="shared">Deflate blocks that end at a byte's end: <see cref="UpdateDeflate.Of"/>.</param>
    /// <param name="tail">The subscription's own, up to the token.</param>
    /// <param name="resumeToken">The token.</param>
    /// <returns>Bytes written.</returns>
    public static int WriteDeflatedEvent(
        PipeWriter pipe, ReadOnlySpan<byte> shared, ReadOnlySpan<byte> tail, ReadOnlySpan<byte> resumeToken)
    {
        int stored = tail.Length + resumeToken.Length + End.Length;
        int length = shared.Length + StoredHeaderBytes + stored + 1;
        int header = WriteHeader(pipe, CompressedText, length);
        pipe.Write(shared);
        Span<byte> block = pipe.GetSpan(StoredHeaderBytes);
        block[0] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(block[1..], (ushort)stored);
        BinaryPrimitives.WriteUInt16LittleEndian(block[3..], (ushort)~stored);
        pipe.Advance(StoredHeaderBytes);
        WriteTail(pipe, tail, resumeToken);

        // The first byte of an empty stored block; the other four are left out, RFC 7692 section 7.2.1.
        pipe.Write("\0"u8);
        return header + length;
    }

    private static ReadOnlySpan<byte> End => "\"}"u8;

    private static void WriteTail(PipeWriter pipe, ReadOnlySpan<byte> tail, ReadOnlySpan<byte> resumeToken)
    {
        pipe.Write(tail);
        pipe.Write(resumeToken);
        pipe.Write(End);
    }

    private static int WriteHeader(PipeWriter pipe, byte first, int length)
    {
        Span<byte> header = pipe.GetSpan(MaxHeaderBytes);
        header[0] = first;
        int bytes;
        if (length < 126)
        {
            header[1] = (byte)length;
            bytes = 2;
        }
        else if (length <= ushort.MaxValue)
        {
            header[1] = 126;
            BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)length);
            bytes = 4;
        }
        else
        {
            header[1] = 127;
            BinaryPrimitives.WriteUInt64BigEndian(header[2..], (ulong)length);
            bytes = 10;
        }

        pipe.Advance(bytes);
        return bytes;
    }
}
