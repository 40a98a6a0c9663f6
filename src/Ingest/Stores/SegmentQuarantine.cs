using Ingest.Log;

namespace Ingest.Stores;

/// <summary>Sets the files of a segment aside that the store will never take, so that the next ones can pass.</summary>
internal static class SegmentQuarantine
{
    /// <summary>
    /// Moves the segment's data file and the files that share its name to <c>TABLE-ID.*</c> in the directory, which is
    /// on the same file system; gives the data file's new path.
    /// </summary>
    /// <exception cref="IOException">A file could not be moved.</exception>
    public static string Move(SealedSegment segment, string directory)
    {
        Directory.CreateDirectory(directory);
        string stem = Path.GetFileNameWithoutExtension(segment.Path);
        string target = Path.Combine(directory, $"{segment.Table.Name}-{stem}");
        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(Path.GetFullPath(segment.Path))!, stem + ".*"))
        {
            File.Move(file, target + Path.GetExtension(file), overwrite: true);
        }

        return target + Path.GetExtension(segment.Path);
    }
}
