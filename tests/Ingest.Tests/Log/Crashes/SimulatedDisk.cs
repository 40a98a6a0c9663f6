using Ingest.Log;

namespace Ingest.Tests.Log.Crashes;

/// <summary>
/// A disk in memory that keeps a journal of what happened on it, so that a test can ask what would be left of it had
/// the power gone at any moment (<see cref="PowerCut"/>), and that fails calls when it is told to.
/// </summary>
internal sealed class SimulatedDisk : ILogFiles
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SimulatedFile> _names = new(StringComparer.Ordinal);
    private readonly HashSet<string> _directories;
    private readonly List<DiskEvent> _journal = [];
    private readonly Dictionary<int, SimulatedFile> _files = [];

    /// <summary>Makes the disk that a process finds: an image, and what happened since and is still in the cache.</summary>
    public SimulatedDisk(DiskImage image, IEnumerable<DiskEvent> history)
    {
        Image = image;
        _directories = [.. image.Directories];
        foreach (var (path, bytes) in image.Files.OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            _names.Add(path, NewFile(bytes));
        }

        foreach (var happened in history)
        {
            Replay(happened);
        }
    }

    /// <summary>What was on the disk before the journal began.</summary>
    public DiskImage Image { get; }

    /// <summary>Asked before each call: what comes back makes it fail.</summary>
    public Func<DiskCall, FaultKind>? Fault { get; set; }

    public IReadOnlyList<DiskEvent> Journal
    {
        get
        {
            lock (_gate)
            {
                return [.. _journal];
            }
        }
    }

    public IReadOnlySet<string> AllDirectories
    {
        get
        {
            lock (_gate)
            {
                return new HashSet<string>(_directories, StringComparer.Ordinal);
            }
        }
    }

    /// <summary>Puts a fact into the journal, between what happened before and after.</summary>
    public void Note(Fact fact) => Add(new DiskEvent.Noted(fact));

    /// <summary>Notes that the process that used the disk was killed.</summary>
    public void NoteKill() => Add(new DiskEvent.ProcessEnded());

    public byte[] ReadAll(string path)
    {
        lock (_gate)
        {
            return Find(path).Bytes.ToArray();
        }
    }

    public ILogFile Create(string path)
    {
        Ask("create", path);
        lock (_gate)
        {
            if (_names.ContainsKey(path))
            {
                throw new IOException($"{path} exists");
            }

            var file = NewFile([]);
            _names.Add(path, file);
            _journal.Add(new DiskEvent.Created(path, file.Number));
            return new OpenFile(this, file, path);
        }
    }

    public ILogFile Open(string path)
    {
        lock (_gate)
        {
            return new OpenFile(this, Find(path), path);
        }
    }

    public bool Exists(string path)
    {
        lock (_gate)
        {
            return _names.ContainsKey(path);
        }
    }

    public IReadOnlyList<string> Files(string directory)
    {
        lock (_gate)
        {
            return [.. _names.Keys.Where(path => Path.GetDirectoryName(path) == directory)];
        }
    }

    public IReadOnlyList<string> Directories(string directory)
    {
        lock (_gate)
        {
            return [.. _directories.Where(path => Path.GetDirectoryName(path) == directory)];
        }
    }

    // Durable at once: the caller goes on only when it is, and nothing depends on a directory that is empty.
    public void CreateDirectory(string path)
    {
        lock (_gate)
        {
            if (!_directories.Contains(path))
            {
                Apply(new DiskEvent.DirectoryCreated(path));
            }
        }
    }

    public void Rename(string from, string to)
    {
        Ask("rename", from);
        Add(new DiskEvent.Renamed(from, to));
    }

    public void Delete(string path)
    {
        Ask("delete", path);
        lock (_gate)
        {
            if (_names.ContainsKey(path))
            {
                Apply(new DiskEvent.Deleted(path));
            }
        }
    }

    public void FlushDirectory(string path)
    {
        Ask("flush directory", path);
        Add(new DiskEvent.DirectoryFlushed(path));
    }

    private SimulatedFile Find(string path) =>
        _names.TryGetValue(path, out var file) ? file : throw new FileNotFoundException($"there is no {path}");

    private SimulatedFile NewFile(byte[] bytes)
    {
        var file = new SimulatedFile(_files.Count);
        file.Write(0, bytes);
        _files.Add(file.Number, file);
        return file;
    }

    private FaultKind Ask(string call, string path)
    {
        var fault = Fault?.Invoke(new DiskCall(call, Path.GetExtension(path))) ?? FaultKind.None;
        return fault == FaultKind.Fails ? throw new IOException($"{call} of {path}: input/output error") : fault;
    }

    private void Add(DiskEvent happens)
    {
        lock (_gate)
        {
            Apply(happens);
        }
    }

    private void Apply(DiskEvent happens)
    {
        switch (happens)
        {
            case DiskEvent.DirectoryCreated directory:
                for (var at = directory.Path; at is not null && _directories.Add(at); at = Path.GetDirectoryName(at))
                {
                }

                break;
            case DiskEvent.Written written:
                _files[written.File].Write(written.Offset, written.Bytes);
                break;
            case DiskEvent.Truncated truncated:
                _files[truncated.File].SetLength(truncated.Length);
                break;
            case DiskEvent.Renamed renamed:
                var file = Find(renamed.From);
                _names.Remove(renamed.From);
                _names[renamed.To] = file;
                break;
            case DiskEvent.Deleted deleted:
                _names.Remove(deleted.Path);
                break;
        }

        _journal.Add(happens);
    }

    private void Replay(DiskEvent happened)
    {
        if (happened is DiskEvent.Created created)
        {
            _names.Add(created.Path, NewFile([]));
            _journal.Add(happened);
        }
        else
        {
            Apply(happened);
        }
    }

    private sealed class OpenFile(SimulatedDisk disk, SimulatedFile file, string path) : ILogFile
    {
        public string Path => path;

        public long Length
        {
            get
            {
                lock (disk._gate)
                {
                    return file.Bytes.Length;
                }
            }
        }

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long offset)
        {
            var bytes = parts.SelectMany(part => part.ToArray()).ToArray();
            if (disk.Ask("write", path) == FaultKind.FailsHalfway)
            {
                disk.Add(new DiskEvent.Written(file.Number, offset, bytes[..(bytes.Length / 2)]));
                throw new IOException($"write of {path}: no space left on device");
            }

            disk.Add(new DiskEvent.Written(file.Number, offset, bytes));
        }

        public int Read(Span<byte> buffer, long offset)
        {
            lock (disk._gate)
            {
                var rest = file.Bytes[(int)Math.Min(offset, file.Bytes.Length)..];
                var count = Math.Min(rest.Length, buffer.Length);
                rest[..count].CopyTo(buffer);
                return count;
            }
        }

        public void Truncate(long length)
        {
            disk.Ask("truncate", path);
            disk.Add(new DiskEvent.Truncated(file.Number, length));
        }

        public void Flush()
        {
            try
            {
                disk.Ask("flush", path);
            }
            catch (IOException)
            {
                disk.Add(new DiskEvent.FlushFailed(file.Number));
                throw;
            }

            disk.Add(new DiskEvent.Flushed(file.Number));
        }

        public void Dispose()
        {
        }
    }
}
