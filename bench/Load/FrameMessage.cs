using System.Buffers.Binary;

namespace Ingest.Load;

/// <summary>
/// A gRPC message cut into HTTP/2 DATA frames once; before it is sent only the stream's number, the points' seconds and,
/// of Append, the offset are put in.
/// </summary>
internal sealed class FrameMessage
{
    /// <summary>Largest frame that every server takes (RFC 9113, 4.2).</summary>
    public const int MaxFrame = 16 * 1024;

    /// <summary>Bytes of a frame's header.</summary>
    public const int Header = 9;

    private const int MessageHeader = 5;

    // A varint may be longer than it must (the protobuf encoding), so the offset's place is fixed.
    private const int OffsetBytes = 8;
    private const byte RowsTag = 0x12;
    private const byte OffsetTag = 0x08;

    private readonly byte[] _frames;
    private readonly TimePlace[] _times;
    private readonly int _offsetAt = -1;
    private readonly long _made;
    private long _second;

    private FrameMessage(byte[] message, TimePlace[] times, long second, int offsetAt)
    {
        _made = _second = second;
        _times = new TimePlace[times.Length];
        using var frames = new MemoryStream(message.Length + (message.Length / 128) + (2 * Header));
        Span<byte> header = stackalloc byte[Header];
        int time = 0;
        for (int at = 0; at < message.Length;)
        {
            int end = Math.Min(at + MaxFrame, message.Length);
            for (; time < times.Length && times[time].At < end; time++)
            {
                if (times[time].At + times[time].Length > end)
                {
                    // A frame ends before a time that would lie in two.
                    end = times[time].At;
                    break;
                }

                _times[time] = times[time] with { At = (int)frames.Length + Header + times[time].At - at };
            }

            BinaryPrimitives.WriteInt32BigEndian(header, (end - at) << 8);
            frames.Write(header);
            frames.Write(message.AsSpan(at..end));
            at = end;
        }

        _frames = frames.ToArray();
        PayloadBytes = message.Length;
        _offsetAt = offsetAt < 0 ? -1 : offsetAt + Header;
    }

    /// <summary>Bytes that flow control counts.</summary>
    public int PayloadBytes { get; }

    /// <summary>Bytes of the gRPC message, which credit counts.</summary>
    public int MessageBytes => PayloadBytes - MessageHeader;

    /// <summary>A message as it is.</summary>
    public static FrameMessage Of(ReadOnlySpan<byte> message) => Of(message, [], 0);

    /// <summary>A message of StreamGpsPoints.</summary>
    public static FrameMessage Of(PointMessage message) => Of(message.Bytes, message.Times, message.Second);

    /// <summary>An AppendRequest with these rows, serialised without their offset.</summary>
    public static FrameMessage OfRows(PointMessage message)
    {
        byte[] rows = message.Bytes;
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
        at += OffsetBytes;
        rows.CopyTo(framed.AsSpan(at));
        return new FrameMessage(framed, Moved(message.Times, at), message.Second, offsetAt);
    }

    /// <summary>The frames for a stream. One thread at a time: they are the same bytes each time.</summary>
    /// <param name="stream">Number of the stream.</param>
    /// <param name="offset">Offset of its first row, of Append.</param>
    /// <param name="second">Second of its first point, from the fleet's start.</param>
    public ReadOnlySpan<byte> For(int stream, long offset, long second)
    {
        for (int at = 0; at < _frames.Length;)
        {
            BinaryPrimitives.WriteInt32BigEndian(_frames.AsSpan(at + 5), stream);
            at += Header + (BinaryPrimitives.ReadInt32BigEndian(_frames.AsSpan(at)) >>> 8);
        }

        if (_offsetAt >= 0)
        {
            PointMessages.WriteVarint(_frames.AsSpan(_offsetAt, OffsetBytes), offset);
        }

        if (_second != second)
        {
            _second = second;
            foreach (TimePlace time in _times)
            {
                time.Write(_frames.AsSpan(time.At, time.Length), second - _made);
            }
        }

        return _frames;
    }

    private static FrameMessage Of(ReadOnlySpan<byte> message, TimePlace[] times, long second)
    {
        byte[] framed = new byte[MessageHeader + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length);
        message.CopyTo(framed.AsSpan(MessageHeader));
        return new FrameMessage(framed, Moved(times, MessageHeader), second, -1);
    }

    private static TimePlace[] Moved(TimePlace[] times, int by) =>
        [.. times.Select(time => time with { At = time.At + by })];
}
