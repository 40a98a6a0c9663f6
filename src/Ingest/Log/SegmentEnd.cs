using System.Buffers.Binary;

namespace Ingest.Log;

/// <summary>
/// The end file: how much of a segment's two files counts, written when a group failed and its bytes may still be on
/// the disk. Bytes are laid out in docs/log-format.md.
/// </summary>
internal static class SegmentEnd
{
    private const int Bytes = 8 + 8 + 8 + 4;

    private static ReadOnlySpan<byte> Magic => "INGEND\0\u0001"u8;

    /// <summary>Writes the file durably; its directory is left to the caller.</summary>
    public static void Write(ILogFiles disk, SegmentFiles files, long dataLength, long indexLength)
    {
        var bytes = new byte[Bytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), dataLength);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), indexLength);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(24), Checksum.Of(bytes.AsSpan(0, 24)));
        var temporary = files.End + SegmentFiles.TemporaryExtension;
        disk.Delete(temporary);
        using (var file = disk.Create(temporary))
        {
            file.Write([bytes], 0);
            file.Flush();
        }

        disk.Rename(temporary, files.End);
    }

    /// <summary>Reads the file; false when there is none.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static bool TryRead(ILogFiles disk, SegmentFiles files, out long dataLength, out long indexLength)
    {
        dataLength = indexLength = 0;
        if (!disk.Exists(files.End))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[Bytes];
        using var file = disk.Open(files.End);
        if (file.Read(bytes, 0) != Bytes || !bytes.StartsWith(Magic)
            || Checksum.Of(bytes[..24]) != BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]))
        {
            throw new InvalidDataException($"{files.End} is damaged");
        }

        dataLength = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]);
        indexLength = BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]);
        return true;
    }
}
