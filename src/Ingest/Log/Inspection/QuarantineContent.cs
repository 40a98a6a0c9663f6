using System.Globalization;
using Ingest.Columns;
using Ingest.Stores;

namespace Ingest.Log.Inspection;

/// <summary>The files of a piece in quarantine, read.</summary>
internal sealed class QuarantineContent
{
    private const string NoChecksum = "nothing says what its checksum was";

    private QuarantineContent(string stem) => Stem = stem;

    /// <summary>Path of its files without extension.</summary>
    public string Stem { get; }

    /// <summary>What it is.</summary>
    public QuarantineKind Kind { get; private init; }

    /// <summary>The table of its rows.</summary>
    public string Table { get; private init; } = "";

    /// <summary>The segment that it was in.</summary>
    public ulong SegmentId { get; private init; }

    /// <summary>What follows the segment's id in the name.</summary>
    public string Suffix { get; private init; } = "";

    /// <summary>The index's header; null when there is none that can be read.</summary>
    public IndexHeader? Header { get; private set; }

    /// <summary>Its blocks.</summary>
    public List<QuarantinedBlock> Blocks { get; } = [];

    /// <summary>Bytes of data that are no blocks.</summary>
    public long StrayBytes { get; private set; }

    /// <summary>Why it was set aside; empty when that was not written down.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>What is wrong with its bytes; null when every checksum holds.</summary>
    public string? Fault => StrayBytes > 0 || (Blocks.Count == 0 && Kind != QuarantineKind.Producers)
        ? "not all of its bytes are blocks"
        : Blocks.FirstOrDefault(block => block.Fault is not null)?.Fault;

    /// <summary>Whether it is a segment as the log had it, which can go back as it is.</summary>
    public bool IsWholeSegment => Kind == QuarantineKind.Segment && Header is not null && Fault is null;

    /// <summary>Reads a piece; null when its name is none of ours.</summary>
    public static QuarantineContent? Read(string stem)
    {
        string[] name = Path.GetFileName(stem).Split('-', 3);
        if (name.Length < 2)
        {
            return null;
        }

        if (name[1] == "producers")
        {
            return new QuarantineContent(stem) { Kind = QuarantineKind.Producers, Table = name[0] };
        }

        if (!ulong.TryParse(name[1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong id))
        {
            return null;
        }

        string suffix = name.Length == 3 ? name[2] : "";
        QuarantineKind kind = suffix == SegmentQuarantine.PartSuffix ? QuarantineKind.RefusedRows
            : suffix.Length > 0 && !File.Exists(stem + SegmentQuarantine.ReasonExtension) ? QuarantineKind.Block
            : QuarantineKind.Segment;
        var content = new QuarantineContent(stem) { Kind = kind, Table = name[0], SegmentId = id, Suffix = suffix };
        content.ReadFiles();
        return content;
    }

    private void ReadFiles()
    {
        string reason = Stem + SegmentQuarantine.ReasonExtension;
        Reason = File.Exists(reason) ? File.ReadAllText(reason).Trim() : "";
        ReadOnlyMemory<byte> data = ReadIfThere(SegmentFiles.DataExtension);
        byte[] index = ReadIfThere(SegmentFiles.IndexExtension);
        int at = 0;
        if (IndexHeader.TryRead(index, out IndexHeader? header, out int length) && header!.SegmentId == SegmentId)
        {
            (Header, at) = (header, length);
        }

        // A damaged stretch begins at its place in the segment, whose record speaks of that.
        long origin = Kind == QuarantineKind.Block
            ? long.Parse(Suffix, NumberStyles.None, CultureInfo.InvariantCulture)
            : 0;
        long end = 0;
        while (IndexRecord.TryRead(index.AsSpan(at), SegmentId, out BlockRecord? record, out int size))
        {
            long place = record!.Offset - origin;
            at += size;
            if (place < end || record.Length < 0 || place + record.Length > data.Length)
            {
                break;
            }

            ReadOnlyMemory<byte> bytes = data.Slice((int)place, record.Length);
            Blocks.Add(new QuarantinedBlock(
                record with { Offset = place }, bytes,
                Checksum.Of(bytes.Span) == record.Crc ? null : "its checksum does not match"));
            end = place + record.Length;
        }

        ReadUnindexed(data, end);
    }

    // What no index speaks of may be whole blocks all the same; but those of another segment, over which the file was
    // written, the store has.
    private void ReadUnindexed(ReadOnlyMemory<byte> data, long end)
    {
        while (end < data.Length)
        {
            try
            {
                ReadOnlyMemory<byte> rest = data[(int)end..];
                var block = BlockContent.Read(rest);
                if (block.SegmentId is { } id && id != SegmentId)
                {
                    StrayBytes = data.Length - end;
                    return;
                }

                ReadOnlyMemory<byte> bytes = rest[..block.Length];
                Blocks.Add(new QuarantinedBlock(
                    new BlockRecord(end, block.Length, block.Rows, Checksum.Of(bytes.Span), []), bytes, NoChecksum));
                end += block.Length;
            }
            catch (InvalidDataException)
            {
                StrayBytes = data.Length - end;
                return;
            }
        }
    }

    private byte[] ReadIfThere(string extension) => File.Exists(Stem + extension) ? File.ReadAllBytes(Stem + extension) : [];
}
