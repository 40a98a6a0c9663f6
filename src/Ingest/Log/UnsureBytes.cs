namespace Ingest.Log;

/// <summary>Makes durable what a process that ended left in files, and nobody knows whether a flush of it had failed.</summary>
/// <remarks>
/// After a flush that failed Linux keeps the bytes in its cache and calls them clean: they can be read, the next flush
/// succeeds, and they are gone after a loss of power. So they are written once more, then flushed.
/// </remarks>
internal static class UnsureBytes
{
    private const int BufferBytes = 1 << 20;

    /// <summary>As the other; nothing when there is no file.</summary>
    /// <exception cref="IOException">They are not durable.</exception>
    public static void WriteAgain(ILogFiles disk, string path, long from = 0, long to = long.MaxValue)
    {
        if (disk.Exists(path))
        {
            using var file = disk.Open(path);
            WriteAgain(file, from, to);
        }
    }

    /// <summary>Writes a file's bytes between two offsets, or from one on, over themselves, and flushes it.</summary>
    /// <exception cref="IOException">They are not durable.</exception>
    public static void WriteAgain(ILogFile file, long from = 0, long to = long.MaxValue)
    {
        to = Math.Min(to, file.Length);
        var buffer = new byte[Math.Clamp(to - from, 0, BufferBytes)];
        for (var at = from; at < to;)
        {
            var count = file.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, to - at)), at);
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
