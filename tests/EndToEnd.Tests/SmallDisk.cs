using System.Diagnostics;

namespace Ingest.EndToEnd.Tests;

/// <summary>A file system of a few megabytes in memory, that a test can fill up. Mounting one needs root.</summary>
internal sealed class SmallDisk : IDisposable
{
    private const int PieceBytes = 64 * 1024;

    private SmallDisk(string path) => Root = path;

    /// <summary>Where it is.</summary>
    public string Root { get; }

    private string Filler => Path.Combine(Root, "filler");

    /// <summary>Mounts one; null where that is not allowed.</summary>
    public static SmallDisk? TryMount(int megabytes)
    {
        string path = Directory.CreateTempSubdirectory("ingest-disk-").FullName;
        if (OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", path))
        {
            return new SmallDisk(path);
        }

        Directory.Delete(path);
        return null;
    }

    /// <summary>Takes all the room there is.</summary>
    public void Fill()
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(Filler, FileMode.OpenOrCreate, FileAccess.Write);
        byte[] piece = new byte[PieceBytes];
        long at = 0;
        for (int bytes = PieceBytes; bytes >= 512;)
        {
            try
            {
                RandomAccess.Write(file, piece.AsSpan(0, bytes), at);
                at += bytes;
            }
            catch (IOException)
            {
                bytes /= 2;
            }
        }
    }

    /// <summary>Gives it back.</summary>
    public void Free() => File.Delete(Filler);

    public void Dispose()
    {
        Run("umount", "-l", Root);
        Directory.Delete(Root);
    }

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
