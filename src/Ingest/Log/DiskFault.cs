namespace Ingest.Log;

/// <summary>Which exceptions mean that the disk refused, not that the program is wrong.</summary>
internal static class DiskFault
{
    /// <summary>Whether the runtime throws this for an error of the file system.</summary>
    public static bool Is(Exception exception) => exception is IOException or UnauthorizedAccessException;
}
