using Ingest.Log;

namespace Ingest.Admission;

/// <summary>How much of its disk the log may take.</summary>
/// <remarks>
/// Without a setting it is 10 GiB, or four fifths of what the disk has free beside the log if that is less: asked again
/// now and then, since the embedded store and others fill the same disk.
/// </remarks>
internal sealed class LogSpace(LogOptions options, LogMetrics log, Func<string, long?> freeBytesOf)
{
    private const double ShareOfDisk = 0.8;

    private long _limit = options.MaxBytes > 0 ? options.MaxBytes : LogOptions.DefaultMaxBytes;

    /// <summary>Bytes that the log has on disk or is about to write.</summary>
    public long UsedBytes => log.OpenBytes + log.UnreleasedBytes + log.QueuedBytes;

    /// <summary>The limit as of the last look at the disk.</summary>
    public long LimitBytes => Volatile.Read(ref _limit);

    /// <summary>Free bytes of the disk of a directory; null where that cannot be told.</summary>
    public static long? FreeBytesOf(string directory)
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(directory)).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Looks at the disk.</summary>
    public void Refresh()
    {
        if (options.MaxBytes == 0 && freeBytesOf(options.DataDirectory) is { } free)
        {
            double ofDisk = ShareOfDisk * (free + log.OpenBytes + log.UnreleasedBytes);
            Volatile.Write(ref _limit, (long)Math.Min(LogOptions.DefaultMaxBytes, Math.Max(1, ofDisk)));
        }
    }
}
