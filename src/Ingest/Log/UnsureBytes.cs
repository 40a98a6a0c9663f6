namespace Ingest.Log;

/// <summary>Makes durable what a process that ended left in files, and nobody knows whether a flush of it had failed.</summary>
/// <remarks>
/// After a flush that failed Linux keeps the bytes in its cache and calls them clean: they can be read, the next flush
/// succeeds, and they are gone after a loss of power. So they are written once more, then flushed.
/// </remarks>
internal static class UnsureBytes
{
    private const int BufferBytes = 1 << 20;

    /// <summary>Writes a file's bytes from an offset on over themselves, and flushes it. Nothing when there is no file.</summary>
    /// <exception cref="IOException">They are not durable.</exception>
    public static void WriteAgain(ILogFiles disk, string path, long from = 0)
    {
        if (disk.Exists(path))
        {
            using var file = disk.Open(path);
            WriteAgain(file, from);
        }
    }

    /// <summary>Writes a file's bytes from an offset on over themselves, and flushes it.</summary>
    /// <exception cref="IOException">They are not durable.</exception>
    public static void WriteAgain(ILogFile file, long from = 0)
    {
        var buffer = new byte[Math.Clamp(file.Length - from, 0, BufferBytes)];
        for (var at = from; at < file.Length;)
        {
            var count = file.Read(buffer, at);
            if (count == 0)
            {
                break;
            }

            file.Write([buffer.AsMemory(0, count)], at);
            at += count;
        }

        file.Flush();
    }
}
