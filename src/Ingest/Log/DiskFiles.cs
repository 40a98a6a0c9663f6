using System.Runtime.InteropServices;

namespace Ingest.Log;

/// <summary>The file system of the machine.</summary>
internal sealed partial class DiskFiles : ILogFiles
{
    private const int OpenReadOnly = 0;

    /// <summary>The one instance; it has no state.</summary>
    public static DiskFiles Instance { get; } = new();

    public ILogFile Create(string path) =>
        new DiskFile(path, File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete));

    public ILogFile Open(string path) =>
        new DiskFile(path, File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete));

    public bool Exists(string path) => File.Exists(path);

    public IReadOnlyList<string> Files(string directory) =>
        Directory.Exists(directory) ? Directory.GetFiles(directory) : [];

    public IReadOnlyList<string> Directories(string directory) =>
        Directory.Exists(directory) ? Directory.GetDirectories(directory) : [];

    public void CreateDirectory(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.GetDirectoryName(full) is not { } parent)
        {
            return;
        }

        CreateDirectory(parent);
        Directory.CreateDirectory(full);
        FlushDirectory(parent);
    }

    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    public void Delete(string path) => File.Delete(path);

    public void FlushDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return; // NTFS journals its directories and has no call for it.
        }

        var descriptor = OpenDirectory(path, OpenReadOnly);
        if (descriptor < 0)
        {
            ThrowLastError("open", path);
        }

        try
        {
            if (Synchronize(descriptor) != 0)
            {
                ThrowLastError("fsync", path);
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static void ThrowLastError(string call, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        throw new IOException($"{call} of directory {path}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenDirectory(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Synchronize(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
