namespace Ingest.Log;

/// <summary>Replaces small files as a whole: after a power loss there is the old one or the new one.</summary>
public static class DurableFile
{
    /// <summary>Writes a file and makes it durable, with its name; missing directories are made. Blocks for the disk.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public static void Replace(string path, ReadOnlyMemory<byte> content)
    {
        DiskFiles disk = DiskFiles.Instance;
        string directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        disk.CreateDirectory(directory);
        string temporary = path + ".new";
        disk.Delete(temporary);
        using (ILogFile file = disk.Create(temporary))
        {
            file.Write([content], 0);
            file.Flush();
        }

        disk.Rename(temporary, path);
        disk.FlushDirectory(directory);
    }
}
