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

    /// <summary>Writes a segment with blocks of so many rows; ids count from 0.</summary>
    public static SealedSegment Write(
        string directory, TableSchema table, ulong segmentId, IReadOnlyList<int> blocks, string? token = null)
    {
        string path = Path.Combine(directory, $"{table.Name}-{segmentId}-{Guid.NewGuid():N}.native");
        ulong next = 0;
        using (var writer = new BinaryWriter(File.Create(path)))
        {
            foreach (int rows in blocks)
            {
                WriteBlock(writer, next, rows, segmentId);
                next += (ulong)rows;
            }
        }

        return new SealedSegment(
            table, segmentId, path, new FileInfo(path).Length, (long)next,
            token ?? $"test/{table.Name}/{segmentId}/{next}", Recovered: false);
    }

    private static void WriteBlock(BinaryWriter writer, ulong first, int rows, ulong segmentId)
    {
        writer.Write7BitEncodedInt(3);
        writer.Write7BitEncodedInt(rows);
        Header(writer, "id", "UInt64");
        for (int i = 0; i < rows; i++)
        {
            writer.Write(first + (ulong)i);
        }

        Header(writer, "label", "String");
        for (int i = 0; i < rows; i++)
        {
            byte[] label = Encoding.UTF8.GetBytes($"label {i % 100}");
            writer.Write7BitEncodedInt(label.Length);
            writer.Write(label);
        }

        Header(writer, "segment_id", "LowCardinality(UInt64)");
        writer.Write(1UL);
        writer.Write(1UL << 9);
        writer.Write(1UL);
        writer.Write(segmentId);
        writer.Write((ulong)rows);
        writer.Write(new byte[rows]);
    }

    private static void Header(BinaryWriter writer, string name, string type)
    {
        writer.Write(name);
        writer.Write(type);
    }
}
