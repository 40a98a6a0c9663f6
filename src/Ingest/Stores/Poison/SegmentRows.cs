using Ingest.Columns;
using Ingest.Log;

namespace Ingest.Stores.Poison;

/// <summary>The rows of a sealed segment, which can be cut: between blocks by copying, within a block by columns.</summary>
/// <remarks>Cuts depend on nothing but the segment, so that the same piece is the same bytes in every run.</remarks>
internal sealed class SegmentRows
{
    private readonly SealedSegment _segment;
    private readonly List<(long FirstRow, BlockRecord Record)> _blocks = [];
    private (BlockRecord? Record, BlockContent? Content) _last;

    private SegmentRows(SealedSegment segment, IndexHeader header) => (_segment, Header) = (segment, header);

    /// <summary>The head of the segment's index.</summary>
    public IndexHeader Header { get; }

    /// <summary>All rows.</summary>
    public RowRange All => new(0, _segment.Rows);

    /// <summary>Reads the index of a segment and verifies its bytes.</summary>
    /// <exception cref="InvalidDataException">They are not what was written.</exception>
    /// <exception cref="IOException">They cannot be read.</exception>
    public static SegmentRows Read(SealedSegment segment)
    {
        if (!SegmentFiles.TryParse(segment.Path, out SegmentFiles? files) || !File.Exists(files!.Index))
        {
            throw new InvalidDataException("it has no index");
        }

        SegmentScan scan = SegmentScan.Run(DiskFiles.Instance, files);
        if (scan.Header is null || scan.IsDamaged)
        {
            throw new InvalidDataException("it is damaged on disk");
        }

        var rows = new SegmentRows(segment, scan.Header);
        long row = 0;
        foreach (BlockRecord record in scan.Kept.Select(block => block.Record!))
        {
            if (record.Rows > 0 && record.End <= segment.Length)
            {
                rows._blocks.Add((row, record));
                row += record.Rows;
            }
        }

        return row == segment.Rows
            ? rows
            : throw new InvalidDataException($"its index speaks of {row} rows, not {segment.Rows}");
    }

    /// <summary>Reads every block, so that it is known beforehand whether each can be cut.</summary>
    /// <exception cref="InvalidDataException">One cannot.</exception>
    /// <exception cref="IOException">One cannot be read.</exception>
    public void Check()
    {
        foreach ((_, BlockRecord record) in _blocks)
        {
            if (Content(record) is var block && (block.Rows != record.Rows || block.Length != record.Length))
            {
                throw new InvalidDataException($"its block at {record.Offset} has {block.Rows} rows, not {record.Rows}");
            }
        }
    }

    /// <summary>Its blocks, read one after the other.</summary>
    /// <exception cref="InvalidDataException">One is not what was written.</exception>
    /// <exception cref="IOException">One cannot be read.</exception>
    public IEnumerable<BlockContent> Blocks() => _blocks.Select(block => BlockContent.Read(ReadBytes(block.Record)));

    /// <summary>Two halves: of blocks, or of the rows of the one block.</summary>
    public RowRange[] Split(RowRange piece)
    {
        var blocks = BlocksOf(piece).ToList();
        long middle = blocks.Count > 1 ? blocks[blocks.Count / 2].FirstRow : piece.First + (piece.Count / 2);
        return [new RowRange(piece.First, middle - piece.First), new RowRange(middle, piece.End - middle)];
    }

    /// <summary>Writes the blocks of pieces one behind the other, and says of each what its index record says.</summary>
    public void Write(IEnumerable<RowRange> pieces, Stream target, Action<BlockRecord>? onBlock = null)
    {
        long place = 0;
        foreach (RowRange piece in pieces)
        {
            foreach ((long firstRow, BlockRecord record) in BlocksOf(piece))
            {
                int first = (int)Math.Max(0, piece.First - firstRow);
                int count = (int)Math.Min(record.Rows, piece.End - firstRow) - first;
                byte[] bytes = count == record.Rows ? ReadBytes(record) : Content(record).Slice(first, count);
                target.Write(bytes);
                onBlock?.Invoke(new BlockRecord(
                    place, bytes.Length, count, Checksum.Of(bytes), Entries(record, first, count)));
                place += bytes.Length;
            }
        }
    }

    /// <summary>The block of a row, and its place in it.</summary>
    public (BlockContent Block, int Row) Find(long row)
    {
        (long firstRow, BlockRecord record) = BlocksOf(new RowRange(row, 1)).Single();
        return (Content(record), (int)(row - firstRow));
    }

    /// <summary>Offset of a row in its producer's stream; null when it came without one.</summary>
    public long? OffsetOf(long row)
    {
        (long firstRow, BlockRecord record) = BlocksOf(new RowRange(row, 1)).Single();
        int place = (int)(row - firstRow);
        return Entries(record, place, 1).Select(entry => (long?)entry.FirstOffset).FirstOrDefault();
    }

    // An entry's offsets are all accepted or all rejected; only the accepted ones have rows.
    private static List<ProducerEntry> Entries(BlockRecord record, int first, int count)
    {
        var entries = new List<ProducerEntry>();
        foreach (ProducerEntry entry in record.Entries)
        {
            int from = Math.Max(entry.FirstRow, first);
            int end = Math.Min(entry.FirstRow + entry.RowCount, first + count);
            if (from < end)
            {
                entries.Add(entry with
                {
                    FirstOffset = entry.FirstOffset + (from - entry.FirstRow),
                    OffsetCount = end - from,
                    FirstRow = from - first,
                    RowCount = end - from,
                });
            }
        }

        return entries;
    }

    private IEnumerable<(long FirstRow, BlockRecord Record)> BlocksOf(RowRange piece) =>
        _blocks.Where(block => block.FirstRow < piece.End && block.FirstRow + block.Record.Rows > piece.First);

    private BlockContent Content(BlockRecord record)
    {
        if (!ReferenceEquals(_last.Record, record))
        {
            _last = (record, BlockContent.Read(ReadBytes(record)));
        }

        return _last.Content!;
    }

    private byte[] ReadBytes(BlockRecord record)
    {
        byte[] bytes = new byte[record.Length];
        using ILogFile file = DiskFiles.Instance.Open(_segment.Path);
        return file.Read(bytes, record.Offset) == bytes.Length
            ? bytes
            : throw new IOException($"{_segment.Path} became shorter");
    }
}
