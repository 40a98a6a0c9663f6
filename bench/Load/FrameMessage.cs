using System.Buffers.Binary;

namespace Ingest.Load;

/// <summary>
/// A gRPC message cut into HTTP/2 DATA frames once; before it is sent only the stream's number and, of Append, the offset
/// are put in.
/// </summary>
internal sealed class FrameMessage
{
    /// <summary>Largest frame that every server takes (RFC 9113, 4.2).</summary>
    public const int MaxFrame = 16 * 1024;

    /// <summary>Bytes of a frame's header.</summary>
    public const int Header = 9;

    private const int MessageHeader = 5;

    // Seven bits a byte: a varint may be longer than it must (the protobuf encoding), so its place is fixed.
    private const int OffsetBytes = 8;
    private const byte RowsTag = 0x12;
    private const byte OffsetTag = 0x08;

    private readonly byte[] _frames;
    private readonly int _offsetAt = -1;

    private FrameMessage(byte[] message, int offsetAt)
    {
        int count = Math.Max(1, (message.Length + MaxFrame - 1) / MaxFrame);
        _frames = new byte[message.Length + (count * Header)];
        int written = 0;
        for (int at = 0; at < message.Length;)
        {
            int length = Math.Min(MaxFrame, message.Length - at);
            BinaryPrimitives.WriteInt32BigEndian(_frames.AsSpan(written), length << 8);
            message.AsSpan(at, length).CopyTo(_frames.AsSpan(written + Header));
            written += Header + length;
            at += length;
        }

        PayloadBytes = message.Length;
        _offsetAt = offsetAt < 0 ? -1 : offsetAt + Header;
    }

    /// <summary>Bytes that flow control counts.</summary>
    public int PayloadBytes { get; }

    /// <summary>Bytes of the gRPC message, which credit counts.</summary>
    public int MessageBytes => PayloadBytes - MessageHeader;

    /// <summary>A message as it is.</summary>
    public static FrameMessage Of(ReadOnlySpan<byte> message)
    {
        byte[] framed = new byte[MessageHeader + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length);
        message.CopyTo(framed.AsSpan(MessageHeader));
        return new FrameMessage(framed, -1);
    }

    /// <summary>An AppendRequest with these rows, serialised without their offset.</summary>
    public static FrameMessage OfRows(ReadOnlySpan<byte> rows)
    {
        int inner = 1 + OffsetBytes + rows.Length;
        int varint = 1;
        for (int left = inner >> 7; left > 0; left >>= 7)
        {
            varint++;
        }

        int length = 1 + varint + inner;
        byte[] framed = new byte[MessageHeader + length];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), length);
        int at = MessageHeader;
        framed[at++] = RowsTag;
        for (int left = inner; ; left >>= 7)
        {
            framed[at++] = (byte)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
            if (left <= 0x7f)
            {
                break;
            }
        }

        framed[at++] = OffsetTag;
        int offsetAt = at;
        rows.CopyTo(framed.AsSpan(at + OffsetBytes));
        return new FrameMessage(framed, offsetAt);
    }

    /// <summary>The frames for a stream. One thread at a time: they are the same bytes each time.</summary>
    public ReadOnlySpan<byte> For(int stream, long offset)
    {
        for (int at = 0; at < _frames.Length;)
        {
            BinaryPrimitives.WriteInt32BigEndian(_frames.AsSpan(at + 5), stream);
            at += Header + (BinaryPrimitives.ReadInt32BigEndian(_frames.AsSpan(at)) >>> 8);
        }

        if (_offsetAt >= 0)
        {
            for (int i = 0; i < OffsetBytes; i++, offset >>= 7)
            {
                _frames[_offsetAt + i] = (byte)((int)(offset & 0x7f) | (i < OffsetBytes - 1 ? 0x80 : 0));
            }
        }

        return _frames;
    }
}
