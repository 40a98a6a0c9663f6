namespace Ingest.Log;

/// <summary>The files of one table's directory, sorted by what they mean.</summary>
internal sealed class SegmentInventory
{
    private SegmentInventory()
    {
    }

    /// <summary>Segments that have an index, the newest generation of each, by id.</summary>
    public List<SegmentFiles> Segments { get; } = [];

    /// <summary>Data files without an index.</summary>
    public List<SegmentFiles> Orphans { get; } = [];

    /// <summary>Paths of files that no longer mean anything: unfinished, replaced, or of released segments.</summary>
    public List<string> Obsolete { get; } = [];

    /// <summary>Reads a table's directory. Files with foreign names are left alone.</summary>
    public static SegmentInventory Read(ILogFiles disk, string directory)
    {
        var inventory = new SegmentInventory();
        var paths = disk.Files(directory);
        inventory.Obsolete.AddRange(paths.Where(
            path => Path.GetExtension(path) is SegmentFiles.TemporaryExtension or SegmentFiles.SpareExtension));
        var segments = paths
            .Where(IsSegmentFile)
            .Select(path => SegmentFiles.TryParse(path, out var files) ? (Path: path, Files: files!) : default)
            .Where(file => file.Files is not null)
            .GroupBy(file => file.Files.SegmentId)
            .OrderBy(segment => segment.Key);
        foreach (var segment in segments)
        {
            inventory.Sort([.. segment.Select(file => file.Files).Distinct()], [.. segment.Select(file => file.Path)]);
        }

        return inventory;
    }

    /// <summary>Bytes of the segments' data files.</summary>
    public long DataBytes(ILogFiles disk)
    {
        long bytes = 0;
        foreach (var files in Segments.Where(files => disk.Exists(files.Data)))
        {
            using var data = disk.Open(files.Data);
            bytes += data.Length;
        }

        return bytes;
    }

    private static bool IsSegmentFile(string path) => Path.GetExtension(path)
        is SegmentFiles.DataExtension or SegmentFiles.IndexExtension
        or SegmentFiles.EndExtension or SegmentFiles.PiecesExtension or SegmentFiles.ReleasedExtension;

    private void Sort(List<SegmentFiles> generations, HashSet<string> paths)
    {
        var current = generations.Where(files => paths.Contains(files.Index)).MaxBy(files => files.Generation);
        foreach (var files in generations)
        {
            var released = paths.Contains(files.Released);
            if (files == current && !released)
            {
                Segments.Add(files);
            }
            else if (current is null && !released && paths.Contains(files.Data))
            {
                Orphans.Add(files);
            }
            else
            {
                // The name that says so goes last.
                Obsolete.AddRange(new[] { files.Index, files.Data, files.End, files.Pieces, files.Released }.Where(paths.Contains));
            }
        }
    }
}
