using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Ingest.Log;

/// <summary>Hash of a segment's content: SHA-256 over length, rows and CRC-32C of each of its blocks.</summary>
internal sealed class SegmentHash : IDisposable
{
    private const int HexDigits = 32;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Adds a block; one without bytes is no content.</summary>
    public void Add(int length, int rows, uint crc)
    {
        if (length == 0)
        {
            return;
        }

        Span<byte> bytes = stackalloc byte[12];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], rows);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], crc);
        _hash.AppendData(bytes);
    }

    /// <summary>The insert token of a segment with this content.</summary>
    /// <param name="directory">UUID of the data directory in which the segment was written.</param>
    /// <param name="table">Its table.</param>
    /// <param name="segmentId">Its id.</param>
    public string Token(Guid directory, string table, ulong segmentId)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        _hash.GetCurrentHash(hash);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{directory:D}/{table}/{segmentId}/{Convert.ToHexStringLower(hash[..(HexDigits / 2)])}");
    }

    public void Dispose() => _hash.Dispose();
}
