using System.Buffers;
using System.Text;
using Ingest.Log;
using Ingest.Stores.Poison;

namespace Ingest.Stores;

/// <summary>Sets aside what the store will not take, durably, so that the next segments can pass.</summary>
/// <remarks>
/// <c>ingest log quarantine</c> shows it and gives it back: a whole segment under its own name and id, a part of one
/// under an id that follows from its content.
/// </remarks>
internal static class SegmentQuarantine
{
    /// <summary>Extension of the file that says why.</summary>
    public const string ReasonExtension = ".reason";

    /// <summary>What follows the segment's id in the name of a part of it.</summary>
    public const string PartSuffix = "refused";

    /// <summary>
    /// Moves the segment's data file and the files that share its name to <c>TABLE-ID.*</c> in the directory, which is
    /// on the same file system; gives the data file's new path.
    /// </summary>
    /// <exception cref="IOException">A file could not be moved.</exception>
    public static string Move(SealedSegment segment, string directory, string reason)
    {
        DiskFiles.Instance.CreateDirectory(directory);
        string stem = Path.GetFileNameWithoutExtension(segment.Path);
        string source = Path.GetDirectoryName(Path.GetFullPath(segment.Path))!;
        string target = Path.Combine(directory, $"{segment.Table.Name}-{stem}");
        Write(target + ReasonExtension, Encoding.UTF8.GetBytes(reason + "\n"));

        // The data goes last: after a crash, data without its index is what recovery puts here too.
        foreach (string file in Directory.GetFiles(source, stem + ".*").OrderBy(IsData))
        {
            File.Move(file, target + Path.GetExtension(file), overwrite: true);
        }

        DiskFiles.Instance.FlushDirectory(directory);
        DiskFiles.Instance.FlushDirectory(source);
        return target + Path.GetExtension(segment.Path);

        static bool IsData(string file) => file.EndsWith(SegmentFiles.DataExtension, StringComparison.Ordinal);
    }

    /// <summary>
    /// Keeps some rows of a segment as <c>TABLE-ID-refused.*</c>, blocks and index as in the log; gives the data file's
    /// path. The same rows make the same files.
    /// </summary>
    /// <exception cref="IOException">A file could not be written.</exception>
    public static string Keep(
        SealedSegment segment, SegmentRows rows, IReadOnlyList<RowRange> pieces, string reason, string directory)
    {
        DiskFiles.Instance.CreateDirectory(directory);
        string stem = Path.Combine(directory, $"{segment.Table.Name}-{segment.SegmentId}-{PartSuffix}");
        var index = new ArrayBufferWriter<byte>();
        index.Write(rows.Header.ToArray());
        string data = stem + SegmentFiles.DataExtension;
        using (FileStream file = File.Create(data))
        {
            rows.Write(pieces, file, record => IndexRecord.Write(index, segment.SegmentId, record));
            file.Flush(flushToDisk: true);
        }

        Write(stem + SegmentFiles.IndexExtension, index.WrittenSpan);
        Write(stem + ReasonExtension, Encoding.UTF8.GetBytes(reason + "\n"));
        DiskFiles.Instance.FlushDirectory(directory);
        return data;
    }

    private static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        using FileStream file = File.Create(path);
        file.Write(bytes);
        file.Flush(flushToDisk: true);
    }
}
