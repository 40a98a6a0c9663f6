using System.Buffers;

namespace Ingest.Log;

/// <summary>Reads a segment's two files and says what of them is good. Changes nothing.</summary>
internal sealed class SegmentScan
{
    private const int BufferBytes = 1 << 20;

    private readonly List<ScannedBlock> _blocks = [];
    private int _headerLength;
    private int _good; // Blocks up to and with the last good one.
    private int _recordsEnd;

    private SegmentScan(SegmentFiles files) => Files = files;

    /// <summary>The files.</summary>
    public SegmentFiles Files { get; }

    /// <summary>The index's header; null when it is damaged or of another segment.</summary>
    public IndexHeader? Header { get; private set; }

    /// <summary>The index file's bytes.</summary>
    public byte[] Index { get; private set; } = [];

    /// <summary>Length of the data file in bytes.</summary>
    public long DataLength { get; private set; }

    /// <summary>Blocks up to the last good one, in order; the last is good, others may be at fault.</summary>
    public IEnumerable<ScannedBlock> Kept => _blocks.Take(_good);

    /// <summary>
    /// Whether bytes stand behind the last good block that the index tried to describe. As a rule they are a write that
    /// a power loss tore and nobody was told of; but rot in the last block looks the same, so they are not just deleted.
    /// </summary>
    public bool HasDescribedTail => DescribedEnd > DataEnd && IndexTail.ContainsAnyExcept((byte)0);

    /// <summary>
    /// Where in the data file ends what the index speaks of: behind it a file that was written over has what it had
    /// before. Where the index's end cannot be read, the end of the file.
    /// </summary>
    public long DescribedEnd => Index.AsSpan(_recordsEnd).ContainsAnyExcept((byte)0)
        ? DataLength
        : Math.Min(DataLength, _blocks.Count == 0 ? 0 : _blocks.Max(block => block.Offset + block.Length));

    /// <summary>What is behind the last good record in the index.</summary>
    public ReadOnlySpan<byte> IndexTail => Index.AsSpan((int)IndexEnd);

    /// <summary>Whether anything up to the last good block is damaged.</summary>
    public bool IsDamaged => _good > 0 && (Header is null || Kept.Any(block => block.Fault is not null));

    /// <summary>Whether there is no good block.</summary>
    public bool IsEmpty => _good == 0;

    /// <summary>End of the last good block in the data file.</summary>
    public long DataEnd => _good == 0 ? 0 : _blocks[_good - 1].Offset + _blocks[_good - 1].Length;

    /// <summary>End of the last good block's record in the index file.</summary>
    public long IndexEnd => _good == 0 ? _headerLength : _blocks[_good - 1].IndexOffset + _blocks[_good - 1].IndexLength;

    /// <summary>Rows in good blocks.</summary>
    public long Rows => Kept.Where(block => block.Fault is null).Sum(block => (long)block.Rows);

    /// <summary>
    /// Where in both files the last group begins whose rows may count: all before it was flushed before it was written.
    /// </summary>
    public (long Data, long Index) LastGroup
    {
        get
        {
            var first = _good == 0
                ? -1
                : _blocks.FindLastIndex(_good - 1, _good, block => block.Record is { BeginsGroup: true });
            return first <= 0 ? (0, 0) : (_blocks[first].Offset, _blocks[first].IndexOffset);
        }
    }

    /// <summary>
    /// What producers have in the segment: of good blocks, and of bad ones with a later group behind them. Those were
    /// acknowledged before they rotted, so their offsets stay taken; of the last group a bad block may never have been.
    /// </summary>
    public IEnumerable<ProducerEntry> Entries
    {
        get
        {
            var acknowledged = _blocks.FindLastIndex(block => block.Record is { BeginsGroup: true });
            return _blocks
                .Where((block, i) => block.Record is not null && (i < acknowledged || (i < _good && block.Fault is null)))
                .SelectMany(block => block.Record!.Entries);
        }
    }

    /// <summary>Reads and verifies a segment.</summary>
    public static SegmentScan Run(ILogFiles disk, SegmentFiles files)
    {
        var scan = new SegmentScan(files);
        using (var index = disk.Open(files.Index))
        {
            scan.Index = new byte[checked((int)index.Length)];
            index.Read(scan.Index, 0);
        }

        using var data = disk.Exists(files.Data) ? disk.Open(files.Data) : null;
        scan.DataLength = data?.Length ?? 0;
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            scan.ReadBlocks(new BlockReader(data, scan.DataLength, buffer));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return scan;
    }

    private void ReadBlocks(BlockReader data)
    {
        var at = 0;
        if (IndexHeader.TryRead(Index, out var header, out var headerLength) && header!.SegmentId == Files.SegmentId)
        {
            Header = header;
            at = _headerLength = _recordsEnd = headerLength;
        }

        long expected = 0;
        while (NextRecord(ref at, out var record, out var size))
        {
            if (record!.Offset > expected)
            {
                _blocks.Add(new ScannedBlock(
                    null, at, 0, expected, Math.Min(record.Offset, DataLength) - expected, "its index record is damaged"));
            }

            var fault = record.Offset < expected ? "its index record stands there twice" : data.Verify(record);
            _blocks.Add(new ScannedBlock(record, at, size, record.Offset, record.Length, fault));
            _good = fault is null ? _blocks.Count : _good;
            expected = Math.Max(expected, record.End);
            _recordsEnd = at += size;
        }
    }

    // Behind damage the next record is found by its first bytes and its checksum.
    private bool NextRecord(ref int at, out BlockRecord? record, out int size)
    {
        while (true)
        {
            if (IndexRecord.TryRead(Index.AsSpan(at), Files.SegmentId, out record, out size))
            {
                return true;
            }

            var skip = at + 1 < Index.Length ? Index.AsSpan(at + 1).IndexOf(IndexRecord.Magic) : -1;
            if (skip < 0)
            {
                return false;
            }

            at += 1 + skip;
        }
    }

    // Large sequential reads: blocks may be a few hundred bytes.
    private sealed class BlockReader(ILogFile? file, long fileLength, byte[] buffer)
    {
        private long _start;
        private int _length;

        public string? Verify(BlockRecord record)
        {
            if (record.Length < 0 || record.Rows < 0 || record.End > fileLength)
            {
                return "the data file ends before it does";
            }

            var checksum = default(Checksum);
            for (var at = record.Offset; at < record.End;)
            {
                if (at < _start || at >= _start + _length)
                {
                    _start = at;
                    _length = file!.Read(buffer, at);
                    if (_length == 0)
                    {
                        return "the data file ends before it does";
                    }
                }

                var from = (int)(at - _start);
                var count = (int)Math.Min(_length - from, record.End - at);
                checksum.Add(buffer.AsSpan(from, count));
                at += count;
            }

            return checksum.Value == record.Crc ? null : "its checksum does not match";
        }
    }
}
