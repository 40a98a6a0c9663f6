using System.Buffers.Binary;
using System.Text;

namespace Ingest.Log;

/// <summary>The head of an index file: whose segment it is. Bytes are laid out in docs/log-format.md.</summary>
/// <param name="Directory">UUID of the data directory in which the segment was written.</param>
/// <param name="SegmentId">Id of the segment.</param>
/// <param name="Table">Name of the table.</param>
/// <param name="Fingerprint">Fingerprint of the table's schema when the segment was opened; at most 255 bytes.</param>
internal sealed record IndexHeader(Guid Directory, ulong SegmentId, string Table, ReadOnlyMemory<byte> Fingerprint)
{
    /// <summary>Version of the format that is written; the only one that is read.</summary>
    public const ushort Version = 1;

    private const int FixedLength = 8 + 2 + 2 + 16 + 8 + 1;

    /// <summary>First bytes of every index file.</summary>
    public static ReadOnlySpan<byte> Magic => "INGINDEX"u8;

    /// <summary>The header's bytes.</summary>
    public byte[] ToArray()
    {
        var name = Encoding.UTF8.GetBytes(Table);
        var bytes = new byte[FixedLength + Fingerprint.Length + sizeof(ushort) + name.Length + sizeof(uint)];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(10), checked((ushort)bytes.Length));
        Directory.TryWriteBytes(bytes.AsSpan(12), bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(28), SegmentId);
        bytes[36] = checked((byte)Fingerprint.Length);
        Fingerprint.Span.CopyTo(bytes.AsSpan(FixedLength));
        var at = FixedLength + Fingerprint.Length;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), checked((ushort)name.Length));
        name.CopyTo(bytes, at + sizeof(ushort));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4), Checksum.Of(bytes.AsSpan(0, bytes.Length - 4)));
        return bytes;
    }

    /// <summary>Reads a header at the start of an index file.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="header">The header, when it is whole and its checksum holds.</param>
    /// <param name="length">Its bytes.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out IndexHeader? header, out int length)
    {
        header = null;
        length = 0;
        if (bytes.Length < FixedLength || !bytes.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]) != Version)
        {
            return false;
        }

        length = BinaryPrimitives.ReadUInt16LittleEndian(bytes[10..]);
        var nameAt = FixedLength + bytes[36];
        if (length > bytes.Length || length < nameAt + sizeof(ushort) + sizeof(uint)
            || Checksum.Of(bytes[..(length - 4)]) != BinaryPrimitives.ReadUInt32LittleEndian(bytes[(length - 4)..]))
        {
            return false;
        }

        header = new IndexHeader(
            new Guid(bytes.Slice(12, 16), bigEndian: true),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[28..]),
            Encoding.UTF8.GetString(bytes[(nameAt + sizeof(ushort))..(length - 4)]),
            bytes[FixedLength..nameAt].ToArray());
        return true;
    }

    /// <summary>Whether an index without a readable header looks like one whose creation was cut short.</summary>
    public static bool IsTorn(ReadOnlySpan<byte> bytes) =>
        bytes.Length < FixedLength
        || !bytes.ContainsAnyExcept((byte)0)
        || (bytes.StartsWith(Magic) && bytes.Length < BinaryPrimitives.ReadUInt16LittleEndian(bytes[10..]));
}
