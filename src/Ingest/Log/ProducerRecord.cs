using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Ingest.Log;

/// <summary>
/// A record of the producer file: how far a producer is, or that it expired. Bytes are laid out in docs/log-format.md.
/// </summary>
/// <param name="ProducerId">The producer's id.</param>
/// <param name="Epoch">Highest session number.</param>
/// <param name="End">First offset that is not durable.</param>
/// <param name="Ahead">Durable ranges beyond it.</param>
/// <param name="LastSeen">When offsets last came, in Unix seconds.</param>
/// <param name="LastSegmentId">The last segment with offsets of the producer.</param>
/// <param name="IsExpired">Whether the producer is forgotten, with all that segments up to that one say of it.</param>
internal sealed record ProducerRecord(
    string ProducerId, long Epoch, long End, IReadOnlyList<(long Start, long End)> Ahead, long LastSeen,
    ulong LastSegmentId, bool IsExpired)
{
    private const byte StateKind = 1;
    private const byte ExpiredKind = 2;
    private const int RangeLength = 8 + 8;
    private const int FixedLength = 4 + 1 + 2 + 8 + 8 + 8 + 8 + 4 + 4;

    /// <summary>The record of a producer.</summary>
    public static ProducerRecord Of(ProducerState producer) => new(
        producer.Id, producer.Epoch, producer.Offsets.End, producer.Offsets.Ahead, producer.LastSeen,
        producer.LastSegmentId, IsExpired: false);

    /// <summary>The record of a producer that expired.</summary>
    public static ProducerRecord OfExpired(string producerId, ulong lastSegmentId) =>
        new(producerId, 0, 0, [], 0, lastSegmentId, IsExpired: true);

    /// <summary>Appends the record's bytes.</summary>
    public void Write(IBufferWriter<byte> file)
    {
        var idLength = Encoding.UTF8.GetByteCount(ProducerId);
        var size = FixedLength + idLength + (Ahead.Count * RangeLength);
        var bytes = file.GetSpan(size)[..size];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, size);
        bytes[4] = IsExpired ? ExpiredKind : StateKind;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[5..], checked((ushort)idLength));
        Encoding.UTF8.GetBytes(ProducerId, bytes[7..]);
        var rest = bytes[(7 + idLength)..];
        BinaryPrimitives.WriteInt64LittleEndian(rest, Epoch);
        BinaryPrimitives.WriteInt64LittleEndian(rest[8..], End);
        BinaryPrimitives.WriteInt64LittleEndian(rest[16..], LastSeen);
        BinaryPrimitives.WriteUInt64LittleEndian(rest[24..], LastSegmentId);
        BinaryPrimitives.WriteInt32LittleEndian(rest[32..], Ahead.Count);
        for (var i = 0; i < Ahead.Count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(rest[(36 + (i * RangeLength))..], Ahead[i].Start);
            BinaryPrimitives.WriteInt64LittleEndian(rest[(44 + (i * RangeLength))..], Ahead[i].End);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(bytes[^4..], Checksum.Of(bytes[..^4]));
        file.Advance(size);
    }

    /// <summary>Reads a record; null when none stands there whole.</summary>
    /// <param name="bytes">Bytes of the file from the record on.</param>
    /// <param name="size">Its bytes.</param>
    public static ProducerRecord? TryRead(ReadOnlySpan<byte> bytes, out int size)
    {
        size = 0;
        if (bytes.Length < FixedLength)
        {
            return null;
        }

        size = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        if (size < FixedLength || size > bytes.Length
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[(size - 4)..]) != Checksum.Of(bytes[..(size - 4)]))
        {
            return null;
        }

        int idLength = BinaryPrimitives.ReadUInt16LittleEndian(bytes[5..]);
        var rest = bytes[(7 + idLength)..size];
        var ahead = new (long, long)[BinaryPrimitives.ReadInt32LittleEndian(rest[32..])];
        for (var i = 0; i < ahead.Length; i++)
        {
            ahead[i] = (
                BinaryPrimitives.ReadInt64LittleEndian(rest[(36 + (i * RangeLength))..]),
                BinaryPrimitives.ReadInt64LittleEndian(rest[(44 + (i * RangeLength))..]));
        }

        return new ProducerRecord(
            Encoding.UTF8.GetString(bytes.Slice(7, idLength)),
            BinaryPrimitives.ReadInt64LittleEndian(rest),
            BinaryPrimitives.ReadInt64LittleEndian(rest[8..]),
            ahead,
            BinaryPrimitives.ReadInt64LittleEndian(rest[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(rest[24..]),
            bytes[4] == ExpiredKind);
    }
}
