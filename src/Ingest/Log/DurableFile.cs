namespace Ingest.Log;

/// <summary>A small file that is replaced as a whole: after a power loss it is the old one or the new one.</summary>
public sealed class DurableFile
{
    private readonly ILogFiles _disk;

    /// <summary>Names a file; it need not be there.</summary>
    public DurableFile(string path)
        : this(DiskFiles.Instance, path)
    {
    }

    internal DurableFile(ILogFiles disk, string path) => (_disk, Path) = (disk, System.IO.Path.GetFullPath(path));

    /// <summary>Path of the file.</summary>
    public string Path { get; }

    /// <summary>Reads it; null when there is none. Blocks for the disk.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public byte[]? Read()
    {
        if (!_disk.Exists(Path))
        {
            return null;
        }

        using ILogFile file = _disk.Open(Path);
        byte[] bytes = new byte[checked((int)file.Length)];
        file.Read(bytes, 0);
        return bytes;
    }

    /// <summary>
    /// Replaces it; durable, with its name, when the method returns. Missing directories are made. Blocks for the disk.
    /// </summary>
    /// <exception cref="IOException">The disk refuses; the old one is still there.</exception>
    public void Write(ReadOnlyMemory<byte> content)
    {
        string directory = System.IO.Path.GetDirectoryName(Path)!;
        string temporary = Path + SegmentFiles.TemporaryExtension;
        _disk.CreateDirectory(directory);
        _disk.Delete(temporary);
        using (ILogFile file = _disk.Create(temporary))
        {
            file.Write([content], 0);
            file.Flush();
        }

        _disk.Rename(temporary, Path);
        _disk.FlushDirectory(directory);
    }
}
