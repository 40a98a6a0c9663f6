using System.Buffers.Binary;

namespace Ingest.Protocol;

/// <summary>
/// The frame of one message: <c>flags (1 byte) length (4 bytes, big endian) message (length bytes)</c>.
/// </summary>
public static class MessageFrame
{
    /// <summary>Bytes before the message.</summary>
    public const int HeaderBytes = 5;

    /// <summary>The flag of a message that is compressed as <c>grpc-encoding</c> says.</summary>
    public const byte CompressedFlag = 0x01;

    /// <summary>The flag of the trailers that gRPC-Web sends in the body; unknown to gRPC itself.</summary>
    public const byte WebTrailersFlag = 0x80;

    /// <summary>Writes a header.</summary>
    /// <param name="destination">At least <see cref="HeaderBytes"/> bytes.</param>
    /// <param name="flags">0, <see cref="CompressedFlag"/> or <see cref="WebTrailersFlag"/>.</param>
    /// <param name="messageBytes">Length of what follows.</param>
    public static void WriteHeader(Span<byte> destination, byte flags, int messageBytes)
    {
        BinaryPrimitives.WriteInt32BigEndian(destination[1..], messageBytes);
        destination[0] = flags;
    }

    /// <summary>Reads a header. Neither flags nor length are judged.</summary>
    /// <param name="source">At least <see cref="HeaderBytes"/> bytes.</param>
    /// <param name="messageBytes">Length of what follows, up to 4 GiB - 1.</param>
    /// <returns>The flags.</returns>
    public static byte ReadHeader(ReadOnlySpan<byte> source, out uint messageBytes)
    {
        messageBytes = BinaryPrimitives.ReadUInt32BigEndian(source[1..]);
        return source[0];
    }
}
