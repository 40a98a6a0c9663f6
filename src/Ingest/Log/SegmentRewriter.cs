using System.Buffers;

namespace Ingest.Log;

/// <summary>Writes a segment anew with its good blocks alone, under the names of its next generation.</summary>
/// <remarks>
/// The new index gets its name last, when all else is durable; from then on the old generation is void. The segment
/// keeps its id, which its rows carry; its token changes with the content.
/// </remarks>
internal static class SegmentRewriter
{
    private const int CopyBytes = 1 << 20;

    /// <summary>Writes the next generation of a segment and deletes the old.</summary>
    public static SegmentFiles Rewrite(ILogFiles disk, SegmentScan scan, IndexHeader header)
    {
        var files = scan.Files.NextGeneration();
        var temporaryData = files.Data + SegmentFiles.TemporaryExtension;
        var temporaryIndex = files.Index + SegmentFiles.TemporaryExtension;
        disk.Delete(temporaryData);
        disk.Delete(temporaryIndex);
        using (var data = disk.Create(temporaryData))
        using (var index = disk.Create(temporaryIndex))
        {
            var records = new ArrayBufferWriter<byte>(scan.Index.Length + 256);
            records.Write(header.ToArray());
            CopyGood(disk, scan, data, records);
            index.Write([records.WrittenMemory], 0);
            data.Flush();
            index.Flush();
        }

        disk.Rename(temporaryData, files.Data);
        disk.FlushDirectory(files.Directory);
        disk.Rename(temporaryIndex, files.Index);
        disk.FlushDirectory(files.Directory);
        scan.Files.Delete(disk);
        disk.FlushDirectory(files.Directory);
        return files;
    }

    private static void CopyGood(ILogFiles disk, SegmentScan scan, ILogFile target, ArrayBufferWriter<byte> records)
    {
        var buffer = new byte[CopyBytes];
        using var source = disk.Exists(scan.Files.Data) ? disk.Open(scan.Files.Data) : null;
        long end = 0;
        foreach (var block in scan.Kept.Where(block => block.Fault is null))
        {
            var record = scan.Index.AsSpan(block.IndexOffset, block.IndexLength);
            IndexRecord.WriteMoved(records, scan.Files.SegmentId, record, end);
            for (long done = 0; done < block.Length;)
            {
                var count = (int)Math.Min(buffer.Length, block.Length - done);
                if (source!.Read(buffer.AsSpan(0, count), block.Offset + done) != count)
                {
                    throw new IOException($"{source.Path} became shorter while it was copied");
                }

                target.Write([buffer.AsMemory(0, count)], end + done);
                done += count;
            }

            end += block.Length;
        }
    }
}
