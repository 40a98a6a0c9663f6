using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Ingest.Log;

/// <summary>
/// Keeps what was found damaged: `quarantine/TABLE-SEGMENT-OFFSET.native` with the bytes, and `.index` with the index's
/// header and record where they are known. It is durable there before the log lets go of it.
/// </summary>
internal sealed class Quarantine(ILogFiles disk, string directory, ILogger logger)
{
    private int _pieces;
    private long _rows;

    /// <summary>Pieces that were moved.</summary>
    public int Pieces => _pieces;

    /// <summary>Rows known to be in them.</summary>
    public long Rows => _rows;

    /// <summary>Keeps one stretch of a segment.</summary>
    public void Keep(string table, SegmentScan scan, ScannedBlock block)
    {
        var stem = Copy(table, scan, block);
        Report(scan.Files.Data, block.Offset, block.Length, block.Rows, block.Fault!, stem);
    }

    /// <summary>Keeps what is behind a segment's last good block.</summary>
    public void KeepTail(string table, SegmentScan scan)
    {
        var tail = new ScannedBlock(
            null, (int)scan.IndexEnd, scan.IndexTail.Length, scan.DataEnd, scan.DescribedEnd - scan.DataEnd, "tail");
        var stem = Copy(table, scan, tail);
        LogMessages.TailKept(logger, scan.Files.Data, tail.Offset, tail.Length, stem);
    }

    /// <summary>Moves a segment's files as they are: nothing in them could be read.</summary>
    public void Move(string table, SegmentFiles files, string reason)
    {
        disk.CreateDirectory(directory);
        var stem = Path.Combine(directory, $"{table}-{Path.GetFileNameWithoutExtension(files.Data)}");
        var length = MoveFile(files.Data, stem + SegmentFiles.DataExtension);
        MoveFile(files.Index, stem + SegmentFiles.IndexExtension);
        disk.FlushDirectory(directory);
        disk.FlushDirectory(files.Directory);
        Report(files.Data, 0, length, 0, reason, stem);
    }

    /// <summary>Keeps a copy of a producer file in which something is damaged; the file will be written anew.</summary>
    /// <returns>Where it is.</returns>
    public string KeepProducers(string table, string path)
    {
        disk.CreateDirectory(directory);
        var target = Path.Combine(directory, $"{table}-{Path.GetFileName(path)}");
        using (var file = disk.Open(path))
        {
            var bytes = new byte[file.Length];
            file.Read(bytes, 0);
            Write(target, bytes);
        }

        disk.FlushDirectory(directory);
        return target;
    }

    private string Copy(string table, SegmentScan scan, ScannedBlock block)
    {
        disk.CreateDirectory(directory);
        var stem = Path.Combine(
            directory, string.Create(CultureInfo.InvariantCulture, $"{table}-{scan.Files.SegmentId}-{block.Offset}"));
        Write(stem + SegmentFiles.DataExtension, ReadData(scan, block));
        if (block.IndexLength > 0)
        {
            var header = scan.Header?.ToArray() ?? [];
            Write(stem + SegmentFiles.IndexExtension, header, scan.Index.AsMemory(block.IndexOffset, block.IndexLength));
        }

        disk.FlushDirectory(directory);
        return stem;
    }

    private long MoveFile(string from, string to)
    {
        if (!disk.Exists(from))
        {
            return 0;
        }

        long length;
        using (var file = disk.Open(from))
        {
            length = file.Length;
        }

        disk.Rename(from, to);
        return length;
    }

    private byte[] ReadData(SegmentScan scan, ScannedBlock block)
    {
        var length = Math.Clamp(scan.DataLength - block.Offset, 0, Math.Max(0, block.Length));
        var bytes = new byte[length];
        if (length > 0)
        {
            using var data = disk.Open(scan.Files.Data);
            data.Read(bytes, block.Offset);
        }

        return bytes;
    }

    private void Write(string path, params ReadOnlyMemory<byte>[] parts)
    {
        disk.Delete(path);
        using var file = disk.Create(path);
        file.Write(parts, 0);
        file.Flush();
    }

    private void Report(string path, long offset, long length, int rows, string reason, string stem)
    {
        _pieces++;
        _rows += rows;
        LogMessages.BlockQuarantined(logger, path, offset, length, rows, reason, stem);
    }
}
