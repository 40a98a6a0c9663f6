using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace Ingest.Protocol;

/// <summary>Compresses and decompresses single messages: each is a gzip stream of its own.</summary>
/// <remarks>
/// A cold path: who wants speed sends columns, which are smaller than gzip makes rows. Allocates a stream a message;
/// buffers come from <see cref="ArrayPool{T}.Shared"/>.
/// </remarks>
public static class GzipCodec
{
    private const int FirstBufferBytes = 16 * 1024;

    /// <summary>Header, an empty deflate block and trailer.</summary>
    private const int MinBytes = 10 + 2 + 8;

    /// <summary>What became of a decompression.</summary>
    public enum Outcome
    {
        /// <summary>All of it was decompressed.</summary>
        Done,

        /// <summary>The result would be longer than the limit; decompression stopped there.</summary>
        TooLarge,

        /// <summary>The bytes are not gzip, or were cut.</summary>
        Malformed,
    }

    /// <summary>Compresses a message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="destination">Takes the gzip stream.</param>
    public static void Compress(ReadOnlySpan<byte> message, Stream destination)
    {
        using var gzip = new GZipStream(destination, CompressionLevel.Fastest, leaveOpen: true);
        gzip.Write(message);
    }

    /// <summary>Decompresses a message and holds no more than <paramref name="maxBytes"/> + 1 bytes of it.</summary>
    /// <param name="source">The gzip stream is in its first <paramref name="length"/> bytes.</param>
    /// <param name="length">Bytes of the gzip stream.</param>
    /// <param name="maxBytes">Limit of the result.</param>
    /// <param name="buffer">
    /// A buffer of <see cref="ArrayPool{T}.Shared"/>, or an empty array; replaced by a larger one where needed. The
    /// caller gives it back.
    /// </param>
    /// <param name="written">Bytes of the result in <paramref name="buffer"/>.</param>
    public static Outcome Decompress(byte[] source, int length, int maxBytes, ref byte[] buffer, out int written)
    {
        written = 0;
        if (length < MinBytes)
        {
            return Outcome.Malformed;
        }

        using var gzip = new GZipStream(
            new MemoryStream(source, 0, length, writable: false), CompressionMode.Decompress);
        try
        {
            while (true)
            {
                if (written == buffer.Length)
                {
                    Grow(ref buffer, written, maxBytes);
                }

                // One byte past the limit tells a message that fits from one that does not.
                var room = (int)Math.Min(buffer.Length, maxBytes + 1L) - written;
                var read = gzip.Read(buffer, written, room);
                if (read == 0)
                {
                    // GZipStream takes the end of its source for the end of the stream, so a cut would pass; a whole
                    // stream ends in the length of what it holds (RFC 1952, ISIZE).
                    var size = BinaryPrimitives.ReadUInt32LittleEndian(source.AsSpan(length - sizeof(uint)));
                    return size == (uint)written ? Outcome.Done : Outcome.Malformed;
                }

                written += read;
                if (written > maxBytes)
                {
                    return Outcome.TooLarge;
                }
            }
        }
        catch (InvalidDataException)
        {
            return Outcome.Malformed;
        }
    }

    private static void Grow(ref byte[] buffer, int used, int maxBytes)
    {
        var wanted = Math.Min(Math.Max(FirstBufferBytes, used * 2L), maxBytes + 1L);
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Max(wanted, used + 1L));
        buffer.AsSpan(0, used).CopyTo(larger);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        buffer = larger;
    }
}
