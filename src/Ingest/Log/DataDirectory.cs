using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Ingest.Log;

/// <summary>The server's directory: its identity, its lock, and where things are in it.</summary>
internal sealed class DataDirectory : IDisposable
{
    private const string IdentityFile = "directory.uuid";
    private const string LockFile = "lock";
    private const string ProcessFile = "lock.pid";
    private const int IdentityBytes = 36;

    private readonly SafeFileHandle _lock;

    private DataDirectory(string path, Guid id, SafeFileHandle held)
    {
        FullPath = path;
        Id = id;
        _lock = held;
    }

    /// <summary>The directory's absolute path.</summary>
    public string FullPath { get; }

    /// <summary>Its UUID, made with it.</summary>
    public Guid Id { get; }

    /// <summary>Directory with a directory a table.</summary>
    public string LogDirectory => Path.Combine(FullPath, "log");

    /// <summary>Directory of damaged pieces.</summary>
    public string QuarantineDirectory => Path.Combine(FullPath, "quarantine");

    /// <summary>File that remembers the highest segment id that was deleted.</summary>
    public string MarkPath => Path.Combine(FullPath, "segments.mark");

    /// <summary>Takes a directory for this process, and creates it if need be.</summary>
    /// <exception cref="DataDirectoryInUseException">Another process has it.</exception>
    public static DataDirectory Open(ILogFiles disk, string path, ILogger logger)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        disk.CreateDirectory(full);
        var held = Take(full);
        try
        {
            var directory = new DataDirectory(full, Identify(disk, full, logger), held);
            disk.CreateDirectory(directory.LogDirectory);
            return directory;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>The absolute path of a data directory that exists.</summary>
    /// <exception cref="DirectoryNotFoundException">There is none.</exception>
    public static string Find(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        return Directory.Exists(Path.Combine(full, "log"))
            ? full
            : throw new DirectoryNotFoundException($"{full} is no data directory: it has no directory 'log'");
    }

    /// <summary>Whether a process has the directory now.</summary>
    public static bool IsInUse(string path)
    {
        var held = Path.Combine(path, LockFile);
        if (!File.Exists(held))
        {
            return false;
        }

        try
        {
            File.OpenHandle(held, FileMode.Open, FileAccess.Read, FileShare.Read).Dispose();
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>The directory's UUID; null when it has none that can be read.</summary>
    public static Guid? ReadId(string path)
    {
        var file = Path.Combine(path, IdentityFile);
        return File.Exists(file) && Guid.TryParseExact(File.ReadAllText(file).Trim(), "D", out var id) ? id : null;
    }

    /// <summary>Directory of a table's segments.</summary>
    public string TableDirectory(string table) => Path.Combine(LogDirectory, table);

    public void Dispose()
    {
        if (_lock.IsClosed)
        {
            return;
        }

        File.Delete(Path.Combine(FullPath, ProcessFile));
        _lock.Dispose();
    }

    // The kernel lets go of the lock when the process ends, however it ends. The process id stands in a file beside it,
    // since a locked file cannot be read by another.
    private static SafeFileHandle Take(string path)
    {
        var process = Path.Combine(path, ProcessFile);
        SafeFileHandle held;
        try
        {
            held = File.OpenHandle(
                Path.Combine(path, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (IsHeld(error))
        {
            throw new DataDirectoryInUseException($"data directory {path} is in use by {NameOf(process)}");
        }

        try
        {
            File.WriteAllText(process, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception error) when (DiskFault.Is(error))
        {
            // A full disk, say. The lock is what counts; who has it is told for comfort.
        }

        return held;
    }

    // EWOULDBLOCK of flock, which is all that tells a lock from a disk that fails.
    private static bool IsHeld(IOException error) => error.HResult == (OperatingSystem.IsLinux() ? 11 : 35);

    private static string NameOf(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim() is { Length: > 0 } id ? $"process {id}" : "another process";
        }
        catch (Exception error) when (DiskFault.Is(error))
        {
            return "another process";
        }
    }

    private static Guid Identify(ILogFiles disk, string path, ILogger logger)
    {
        var file = Path.Combine(path, IdentityFile);
        if (disk.Exists(file))
        {
            Span<byte> text = stackalloc byte[IdentityBytes];
            using var existing = disk.Open(file);
            if (existing.Read(text, 0) == IdentityBytes
                && Guid.TryParseExact(Encoding.ASCII.GetString(text), "D", out var known))
            {
                return known;
            }

            LogMessages.IdentityLost(logger, path);
        }

        var id = Guid.NewGuid();
        var temporary = file + SegmentFiles.TemporaryExtension;
        disk.Delete(temporary);
        using (var made = disk.Create(temporary))
        {
            made.Write([Encoding.ASCII.GetBytes(id.ToString("D") + "\n")], 0);
            made.Flush();
        }

        disk.Rename(temporary, file);
        disk.FlushDirectory(path);
        return id;
    }
}
