using Ingest.Log;

namespace Ingest.Tests.Log;

/// <summary>A real disk that writes down what is asked of it, and can be made to fail or wait at any call.</summary>
internal sealed class RecordingFiles : ILogFiles
{
    private readonly DiskFiles _disk = DiskFiles.Instance;
    private readonly List<FileCall> _calls = [];

    /// <summary>Called before each call reaches the disk; what it throws is what the caller sees.</summary>
    public Action<FileCall>? Before { get; set; }

    public IReadOnlyList<FileCall> Calls
    {
        get
        {
            lock (_calls)
            {
                return [.. _calls];
            }
        }
    }

    public ILogFile Create(string path)
    {
        Note(new FileCall("create", path));
        return new RecordedFile(this, _disk.Create(path));
    }

    public ILogFile Open(string path)
    {
        Note(new FileCall("open", path));
        return new RecordedFile(this, _disk.Open(path));
    }

    public bool Exists(string path) => _disk.Exists(path);

    public IReadOnlyList<string> Files(string directory) => _disk.Files(directory);

    public IReadOnlyList<string> Directories(string directory) => _disk.Directories(directory);

    public void CreateDirectory(string path) => _disk.CreateDirectory(path);

    public void Rename(string from, string to)
    {
        Note(new FileCall("rename", from));
        _disk.Rename(from, to);
    }

    public void Delete(string path)
    {
        Note(new FileCall("delete", path));
        _disk.Delete(path);
    }

    public void FlushDirectory(string path)
    {
        Note(new FileCall("flush directory", path));
        _disk.FlushDirectory(path);
    }

    private void Note(FileCall call)
    {
        Before?.Invoke(call);
        lock (_calls)
        {
            _calls.Add(call);
        }
    }

    internal sealed record FileCall(string Name, string Path, long Offset = 0, long Length = 0)
    {
        public string Extension => System.IO.Path.GetExtension(Path);

        public override string ToString() => $"{Name} {Extension}";
    }

    private sealed class RecordedFile(RecordingFiles files, ILogFile file) : ILogFile
    {
        public string Path => file.Path;

        public long Length => file.Length;

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long offset)
        {
            files.Note(new FileCall("write", Path, offset, parts.Sum(part => (long)part.Length)));
            file.Write(parts, offset);
        }

        public int Read(Span<byte> buffer, long offset) => file.Read(buffer, offset);

        public void Truncate(long length)
        {
            files.Note(new FileCall("truncate", Path, length));
            file.Truncate(length);
        }

        public void Flush()
        {
            files.Note(new FileCall("flush", Path));
            file.Flush();
        }

        public void Dispose() => file.Dispose();
    }
}
