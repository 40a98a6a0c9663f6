using System.Buffers;
using Ingest.Columns;
using Ingest.Schema;

namespace Ingest.Log;

/// <summary>The open segment of a lane: its two files, what of them is durable, and the group that is on its way.</summary>
/// <remarks>Used by the lane's writer thread alone; the flusher calls <see cref="FlushIndex"/> beside it.</remarks>
internal sealed class Segment : IDisposable
{
    private readonly ILogFiles _disk;
    private readonly ILogFile _data;
    private readonly ILogFile _index;
    private readonly IndexHeader _header;
    private readonly SegmentHash _hash = new();
    private readonly List<ReadOnlyMemory<byte>> _parts = new(256);
    private readonly List<ReadOnlyMemory<byte>> _indexParts = new(1);
    private readonly List<(int Length, int Rows, uint Crc)> _staged = [];
    private readonly ArrayBufferWriter<byte> _records = new(4096);
    private long _indexLength;
    private long _stagedLength;
    private bool _directoryFlushed;

    private Segment(
        ILogFiles disk, SegmentFiles files, TableSchema table, IndexHeader header, ILogFile data, ILogFile index)
    {
        _disk = disk;
        Table = table;
        Files = files;
        _header = header;
        _data = data;
        _index = index;
        _records.Write(header.ToArray());
    }

    /// <summary>Names of its files.</summary>
    public SegmentFiles Files { get; }

    /// <summary>The table, in the version that its blocks are of.</summary>
    public TableSchema Table { get; }

    /// <summary>Its id.</summary>
    public ulong Id => Files.SegmentId;

    /// <summary>Durable bytes of the data file.</summary>
    public long Length { get; private set; }

    /// <summary>Durable rows.</summary>
    public long Rows { get; private set; }

    /// <summary>Durable records in the index; some may have no rows, but then they name a producer.</summary>
    public int Records { get; private set; }

    /// <summary>Durable bytes of the index file.</summary>
    public long IndexLength => _indexLength;

    /// <summary>Durable bytes and those of the group that is being put together.</summary>
    public long StagedLength => Length + _stagedLength;

    /// <summary>Durable rows and those of the group that is being put together.</summary>
    public long StagedRows { get; private set; }

    /// <summary>Creates the files. They are durable with the first group.</summary>
    public static Segment Create(ILogFiles disk, string directory, TableSchema table, IndexHeader header)
    {
        var files = new SegmentFiles(directory, header.SegmentId, Generation: 0);
        var index = disk.Create(files.Index);
        try
        {
            return new Segment(disk, files, table, header, disk.Create(files.Data), index);
        }
        catch
        {
            index.Dispose();
            disk.Delete(files.Index);
            throw;
        }
    }

    /// <summary>Takes a batch into the group. Its memory must stay until the group is written.</summary>
    public void Stage(Batch batch)
    {
        if (batch.RowCount == 0 && !NamesProducer(batch.Entries))
        {
            return; // Rejected rows of a sender without an id: nothing that anyone could ask for.
        }

        var first = _parts.Count;
        var length = batch.RowCount == 0 ? 0 : checked((int)batch.Encode(Id, _parts, StagedRows));
        var checksum = default(Checksum);
        for (var i = first; i < _parts.Count; i++)
        {
            checksum.Add(_parts[i].Span);
        }

        IndexRecord.Write(
            _records, Id, StagedLength, length, batch.RowCount, checksum.Value, batch.Entries, _staged.Count == 0);
        _staged.Add((length, batch.RowCount, checksum.Value));
        _stagedLength += length;
        StagedRows += batch.RowCount;
    }

    /// <summary>Writes the group: one vectored write of the blocks, one write of their records.</summary>
    public void Write()
    {
        if (_parts.Count > 0)
        {
            _data.Write(_parts, Length);
        }

        _indexParts.Add(_records.WrittenMemory);
        _index.Write(_indexParts, _indexLength);
    }

    /// <summary>Makes the blocks durable.</summary>
    public void FlushData() => _data.Flush();

    /// <summary>Makes the records durable, and the first time the names of both files.</summary>
    public void FlushIndex()
    {
        _index.Flush();
        if (!_directoryFlushed)
        {
            _disk.FlushDirectory(Files.Directory);
            _directoryFlushed = true;
        }
    }

    /// <summary>Takes the group for good; to be called when both flushes have come back well.</summary>
    public void Commit()
    {
        foreach (var block in _staged)
        {
            _hash.Add(block.Length, block.Rows, block.Crc);
        }

        Length += _stagedLength;
        Rows = StagedRows;
        Records += _staged.Count;
        _indexLength += _records.WrittenCount;
        ForgetGroup();
    }

    /// <summary>
    /// Takes the group back after a failed write or flush. What is on the disk behind the durable end is unknown from
    /// here on, so the segment must not be written again; <see cref="RecordEnd"/> makes the end itself durable.
    /// </summary>
    public void RollBack()
    {
        ForgetGroup();
        StagedRows = Rows;
        try
        {
            _data.Truncate(Length);
            _index.Truncate(_indexLength);
        }
        catch (Exception e) when (DiskFault.Is(e))
        {
            // The end file says the same; without it no later segment is opened.
        }
    }

    /// <summary>
    /// Makes durable where a segment ends that was rolled back: an end file, or the deletion of a segment in which
    /// nothing is durable. Until then no later segment may be acknowledged: a failed row that comes back after a power
    /// loss would stand beside its own resend.
    /// </summary>
    public void RecordEnd()
    {
        if (Records == 0)
        {
            Files.Delete(_disk);
        }
        else if (!_disk.Exists(Files.End))
        {
            SegmentEnd.Write(_disk, Files, Length, _indexLength);
        }

        _disk.FlushDirectory(Files.Directory);
    }

    /// <summary>What the store gets.</summary>
    public SealedSegment Seal() => new(
        Table, Id, Files.Data, Length, Rows, _hash.Token(_header.Directory, _header.Table, Id), Recovered: false);

    public void Dispose()
    {
        _data.Dispose();
        _index.Dispose();
        _hash.Dispose();
    }

    private void ForgetGroup()
    {
        _parts.Clear();
        _indexParts.Clear();
        _staged.Clear();
        _records.ResetWrittenCount();
        _stagedLength = 0;
    }

    private static bool NamesProducer(ReadOnlySpan<BatchEntry> entries)
    {
        foreach (ref readonly var entry in entries)
        {
            if (entry.HasOffsets)
            {
                return true;
            }
        }

        return false;
    }
}
