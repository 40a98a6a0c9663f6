using System.Text;
using Google.Protobuf.WellKnownTypes;
using Ingest.Log;
using Ingest.Schema;

namespace Ingest.Tests.Stores;

/// <summary>Makes small tables and segments of them: Native blocks as the log writes them.</summary>
internal static class SegmentFile
{
    private const string ReceivedAt = "fromUnixTimestamp64Milli(toInt64(bitShiftRight(segment_id, 22)), 'UTC')";

    /// <summary>A segment's id: 2026-11-21, with the given random bits.</summary>
    public static ulong Id(ulong bits) => (1_795_219_200_000UL << 22) | bits;

    /// <summary>A table (id UInt64, label LowCardinality(String), segment_id, received_at) of that name.</summary>
    public static TableSchema Table(string name, params ColumnSchema[] more) => new(
        name, Struct.Descriptor,
        [
            new ColumnSchema("id", "UInt64", "Delta, ZSTD(1)", "", "UInt64"),
            new ColumnSchema("label", "LowCardinality(String)", "", "", "String"),
            .. more,
            new ColumnSchema("segment_id", "UInt64", "", "", "LowCardinality(UInt64)"),
            new ColumnSchema("received_at", "DateTime64(3, 'UTC')", "", ReceivedAt, ""),
        ],
        ["label", "id"], "toYYYYMM(received_at)", 30);

    /// <summary>A table as <see cref="Table"/> whose rows fall into four partitions by their id, and are numbered.</summary>
    public static TableSchema PartitionedTable(string name)
    {
        TableSchema plain = Table(name, new ColumnSchema("segment_row", "UInt32", "T64, LZ4", "", "UInt32"));
        return new TableSchema(name, plain.Message, plain.Columns, plain.OrderBy, "id % 4", 30);
    }

    /// <summary>Writes a segment with blocks of so many rows; ids count from 0.</summary>
    public static SealedSegment Write(
        string directory, TableSchema table, ulong segmentId, IReadOnlyList<int> blocks, string? token = null) =>
        WriteSome(directory, table, segmentId, blocks, _ => true, token);

    /// <summary>Writes a segment with some of the rows alone, as if the others had not landed.</summary>
    public static SealedSegment WriteSome(
        string directory, TableSchema table, ulong segmentId, IReadOnlyList<int> blocks, Func<ulong, bool> landed,
        string? token = null)
    {
        string path = Path.Combine(directory, $"{table.Name}-{segmentId}-{Guid.NewGuid():N}.native");
        ulong next = 0;
        long written = 0;
        using (var writer = new BinaryWriter(File.Create(path)))
        {
            foreach (int rows in blocks)
            {
                ulong first = next;
                next += (ulong)rows;
                ulong[] ids = [.. Enumerable.Range(0, rows).Select(i => first + (ulong)i).Where(landed)];
                if (ids.Length > 0)
                {
                    WriteBlock(writer, table, ids, segmentId);
                }

                written += ids.Length;
            }
        }

        return new SealedSegment(
            table, segmentId, path, new FileInfo(path).Length, written,
            token ?? $"test/{table.Name}/{segmentId}/{written}", Recovered: false);
    }

    private static void WriteBlock(BinaryWriter writer, TableSchema table, ulong[] ids, ulong segmentId)
    {
        writer.Write7BitEncodedInt(table.HasSegmentRows ? 4 : 3);
        writer.Write7BitEncodedInt(ids.Length);
        Header(writer, "id", "UInt64");
        foreach (ulong id in ids)
        {
            writer.Write(id);
        }

        Header(writer, "label", "String");
        foreach (ulong id in ids)
        {
            byte[] label = Encoding.UTF8.GetBytes($"label {id % 100}");
            writer.Write7BitEncodedInt(label.Length);
            writer.Write(label);
        }

        if (table.HasSegmentRows)
        {
            Header(writer, "segment_row", "UInt32");
            foreach (ulong id in ids)
            {
                writer.Write((uint)id);
            }
        }

        Header(writer, "segment_id", "LowCardinality(UInt64)");
        writer.Write(1UL);
        writer.Write(1UL << 9);
        writer.Write(1UL);
        writer.Write(segmentId);
        writer.Write((ulong)ids.Length);
        writer.Write(new byte[ids.Length]);
    }

    private static void Header(BinaryWriter writer, string name, string type)
    {
        writer.Write(name);
        writer.Write(type);
    }
}
