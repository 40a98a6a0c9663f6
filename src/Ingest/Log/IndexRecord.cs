using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Ingest.Columns;

namespace Ingest.Log;

/// <summary>
/// Bytes of a block's record in the index. Its checksum starts with the segment's id, so that a record of another
/// segment, left on a reused sector, is not taken for one of this. Bytes are laid out in docs/log-format.md.
/// </summary>
internal static class IndexRecord
{
    /// <summary>Bytes of a record without entries.</summary>
    public const int MinLength = FixedLength + sizeof(uint);

    private const int FixedLength = 4 + 4 + 8 + 4 + 4 + 4 + 4;
    private const int EntryFixedLength = 2 + 8 + 8 + 4 + 4 + 4;

    /// <summary>First bytes of every record; what a reader looks for behind a damaged one.</summary>
    public static ReadOnlySpan<byte> Magic => "BLK\u0001"u8;

    /// <summary>Appends the record of a block. Entries without a producer are left out: nothing asks for them.</summary>
    public static void Write(
        IBufferWriter<byte> index, ulong segmentId, long offset, int length, int rows, uint crc,
        ReadOnlySpan<BatchEntry> entries)
    {
        var size = MinLength;
        foreach (ref readonly var entry in entries)
        {
            size += entry.HasOffsets ? EntryFixedLength + Encoding.UTF8.GetByteCount(entry.ProducerId) : 0;
        }

        var bytes = index.GetSpan(size)[..size];
        var at = FixedLength;
        uint count = 0;
        foreach (ref readonly var entry in entries)
        {
            if (entry.HasOffsets)
            {
                at += WriteEntry(bytes[at..], entry);
                count++;
            }
        }

        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], size);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], offset);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[20..], rows);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[24..], crc);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[28..], count);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[at..], ChecksumOf(segmentId, bytes[..at]));
        index.Advance(size);
    }

    /// <summary>Appends the record of a block that was read back.</summary>
    public static void Write(IBufferWriter<byte> index, ulong segmentId, BlockRecord record)
    {
        // Nobody is told anything of such a block, so its entries have no sink.
        var entries = record.Entries.Select(entry => new BatchEntry(
            null!, entry.ProducerId, entry.SessionEpoch, entry.FirstOffset, entry.OffsetCount, entry.FirstRow, entry.RowCount));
        Write(index, segmentId, record.Offset, record.Length, record.Rows, record.Crc, entries.ToArray());
    }

    /// <summary>Appends a record's bytes with another place of its block: for a segment that is written anew.</summary>
    public static void WriteMoved(IBufferWriter<byte> index, ulong segmentId, ReadOnlySpan<byte> record, long offset)
    {
        var bytes = index.GetSpan(record.Length)[..record.Length];
        record.CopyTo(bytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], offset);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[^4..], ChecksumOf(segmentId, bytes[..^4]));
        index.Advance(record.Length);
    }

    /// <summary>Reads a record at the start of the bytes; false when none stands there whole.</summary>
    /// <param name="bytes">Bytes of the index file from the record on.</param>
    /// <param name="segmentId">The segment whose index it is.</param>
    /// <param name="record">The record.</param>
    /// <param name="size">Its bytes.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, ulong segmentId, out BlockRecord? record, out int size)
    {
        record = null;
        size = 0;
        if (bytes.Length < MinLength || !bytes.StartsWith(Magic))
        {
            return false;
        }

        size = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        if (size < MinLength || size > bytes.Length
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[(size - 4)..]) != ChecksumOf(segmentId, bytes[..(size - 4)]))
        {
            return false;
        }

        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[28..]);
        var entries = count == 0 ? [] : new ProducerEntry[count];
        var at = FixedLength;
        for (var i = 0; i < entries.Length; i++)
        {
            at += ReadEntry(bytes[at..], out entries[i]);
        }

        record = new BlockRecord(
            BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]),
            entries);
        return true;
    }

    private static int WriteEntry(Span<byte> bytes, in BatchEntry entry)
    {
        var id = Encoding.UTF8.GetBytes(entry.ProducerId, bytes[2..]);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, checked((ushort)id));
        bytes = bytes[(2 + id)..];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, entry.SessionEpoch);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], entry.FirstOffset);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], entry.OffsetCount);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[20..], entry.FirstRow);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[24..], entry.RowCount);
        return EntryFixedLength + id;
    }

    private static int ReadEntry(ReadOnlySpan<byte> bytes, out ProducerEntry entry)
    {
        int id = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        var producer = Encoding.UTF8.GetString(bytes.Slice(2, id));
        bytes = bytes[(2 + id)..];
        entry = new ProducerEntry(
            producer,
            BinaryPrimitives.ReadInt64LittleEndian(bytes),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]));
        return EntryFixedLength + id;
    }

    private static uint ChecksumOf(ulong segmentId, ReadOnlySpan<byte> bytes)
    {
        var checksum = default(Checksum);
        checksum.Add(segmentId);
        checksum.Add(bytes);
        return checksum.Value;
    }
}
