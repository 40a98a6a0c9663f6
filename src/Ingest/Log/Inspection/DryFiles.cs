namespace Ingest.Log.Inspection;

/// <summary>
/// The files of a data directory for one who changes nothing: reads come from the disk, writes go nowhere, and of what
/// was cut back is remembered where it ends.
/// </summary>
/// <remarks>A server that has the files open is not held up, nor does it hold this up.</remarks>
internal sealed class DryFiles : ILogFiles
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, long> _ends = new(StringComparer.Ordinal);

    public ILogFile Create(string path) => new NoFile(path);

    public ILogFile Open(string path) => new DryFile(this, path, File.OpenHandle(
        path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));

    public bool Exists(string path) => File.Exists(path);

    public IReadOnlyList<string> Files(string directory) => DiskFiles.Instance.Files(directory);

    public IReadOnlyList<string> Directories(string directory) => DiskFiles.Instance.Directories(directory);

    public void CreateDirectory(string path)
    {
    }

    public void Rename(string from, string to)
    {
    }

    public void Delete(string path)
    {
    }

    public void FlushDirectory(string path)
    {
    }

    /// <summary>From now on a file ends there.</summary>
    public void Cut(string path, long length) => _ends[path] = length;

    private sealed class DryFile(DryFiles files, string path, Microsoft.Win32.SafeHandles.SafeFileHandle handle) : ILogFile
    {
        private readonly DiskFile _file = new(path, handle);

        public string Path => path;

        public long Length => Math.Min(_file.Length, files._ends.GetValueOrDefault(path, long.MaxValue));

        public int Read(Span<byte> buffer, long offset) =>
            _file.Read(buffer[..(int)Math.Clamp(Length - offset, 0, buffer.Length)], offset);

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long offset)
        {
        }

        public void Truncate(long length) => files.Cut(path, length);

        public void Flush()
        {
        }

        public void Dispose() => _file.Dispose();
    }

    private sealed class NoFile(string path) : ILogFile
    {
        public string Path => path;

        public long Length => 0;

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long offset)
        {
        }

        public int Read(Span<byte> buffer, long offset) => 0;

        public void Truncate(long length)
        {
        }

        public void Flush()
        {
        }

        public void Dispose()
        {
        }
    }
}
