using System.Buffers.Binary;

namespace Ingest.Server.Http2;

/// <summary>The nine bytes before each frame (RFC 9113, 4.1).</summary>
/// <param name="Length">Bytes of the payload.</param>
/// <param name="Type">The type, known or not.</param>
/// <param name="Flags">The flags.</param>
/// <param name="StreamId">The stream; 0 is the connection.</param>
internal readonly record struct FrameHeader(int Length, FrameType Type, FrameFlags Flags, int StreamId)
{
    /// <summary>Bytes of the header itself.</summary>
    public const int Bytes = 9;

    /// <summary>The largest payload where SETTINGS do not say another: what we announce, and what every peer takes.</summary>
    public const int DefaultMaxLength = 16 * 1024;

    /// <summary>The window of a stream, and of a connection, before anything says another.</summary>
    public const int DefaultWindow = 65_535;

    /// <summary>Reads the header at the front of <paramref name="source"/>, of which nine bytes are there.</summary>
    public static FrameHeader Read(ReadOnlySpan<byte> source) => new(
        (source[0] << 16) | (source[1] << 8) | source[2],
        (FrameType)source[3],
        (FrameFlags)source[4],
        (int)(BinaryPrimitives.ReadUInt32BigEndian(source[5..]) & int.MaxValue));

    /// <summary>Writes it to the front of <paramref name="target"/>.</summary>
    public void Write(Span<byte> target)
    {
        // One write of eight bytes and one of one: length, type, flags, and three of the four bytes of the stream.
        BinaryPrimitives.WriteUInt64BigEndian(
            target, ((ulong)(uint)Length << 40) | ((ulong)(byte)Type << 32) | ((ulong)(byte)Flags << 24) | (uint)(StreamId >> 8));
        target[8] = (byte)StreamId;
    }
}
