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
    private readonly bool _isReused;
    private long _indexLength;
    private long _stagedLength;
    private bool _directoryFlushed;

    private Segment(
        ILogFiles disk, SegmentFiles files, TableSchema table, IndexHeader header, ILogFile data, ILogFile index,
        bool isReused)
    {
        _disk = disk;
        Table = table;
        Files = files;
        _header = header;
        _data = data;
        _index = index;
        _isReused = isReused;
        byte[] bytes = header.ToArray();
        if (isReused)
        {
            _indexLength = bytes.Length;
        }
        else
        {
            _records.Write(bytes);
        }
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

    /// <summary>
    /// Creates the files; their names are durable with the first group. Of a file that is written over the header is
    /// durable before: its old bytes never stand without an index that says that they are none of the segment's. So is
    /// then that the file's own segment is gone, which would be found with other bytes.
    /// </summary>
    /// <param name="disk">Where they are.</param>
    /// <param name="directory">Directory of the table in the log.</param>
    /// <param name="table">The table, in the version that the blocks are of.</param>
    /// <param name="header">Head of the index.</param>
    /// <param name="spare">A file in the directory for the data to be written over; null: a new one.</param>
    /// <exception cref="IOException">The disk refuses.</exception>
    public static Segment Create(
        ILogFiles disk, string directory, TableSchema table, IndexHeader header, string? spare = null)
    {
        var files = new SegmentFiles(directory, header.SegmentId, Generation: 0);
        var index = disk.Create(files.Index);
        try
        {
            if (spare is null)
            {
                return new Segment(disk, files, table, header, disk.Create(files.Data), index, isReused: false);
            }

            index.Write([header.ToArray()], 0);
            index.Flush();
            disk.FlushDirectory(directory);
            disk.Rename(spare, files.Data);
            return new Segment(disk, files, table, header, disk.Open(files.Data), index, isReused: true);
        }
        catch
        {
            index.Dispose();
            if (spare is not null)
            {
                disk.Delete(spare);
                disk.Delete(files.Data);
            }

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

    /// <summary>What the store gets. The data file then has the segment's bytes and no others.</summary>
    public SealedSegment Seal()
    {
        if (_isReused)
        {
            CutOff();
        }

        return new(Table, Id, Files.Data, Length, Rows, _hash.Token(_header.Directory, _header.Table, Id), Recovered: false);
    }

    public void Dispose()
    {
        _data.Dispose();
        _index.Dispose();
        _hash.Dispose();
    }

    // What was longer of the segment before. Not flushed: recovery does the same.
    private void CutOff()
    {
        try
        {
            if (_data.Length > Length)
            {
                _data.Truncate(Length);
            }
        }
        catch (Exception e) when (DiskFault.Is(e))
        {
            // Whoever sends a segment sends its length.
        }
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
