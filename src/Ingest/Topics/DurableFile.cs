using Ingest.Log;

namespace Ingest.Topics;

/// <summary>A small file that is replaced as a whole: after a crash it is the old one or the new one.</summary>
internal sealed class DurableFile(ILogFiles disk, string path)
{
    /// <summary>Path of the file.</summary>
    public string Path => path;

    /// <summary>Reads it; null when there is none.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public byte[]? Read()
    {
        if (!disk.Exists(path))
        {
            return null;
        }

        using ILogFile file = disk.Open(path);
        byte[] bytes = new byte[checked((int)file.Length)];
        file.Read(bytes, 0);
        return bytes;
    }

    /// <summary>Replaces it; durable when the method returns.</summary>
    /// <exception cref="IOException">The disk refuses; the old one is still there.</exception>
    public void Write(ReadOnlyMemory<byte> content)
    {
        string directory = System.IO.Path.GetDirectoryName(path)!;
        string temporary = path + SegmentFiles.TemporaryExtension;
        disk.CreateDirectory(directory);
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
