namespace Ingest.Tests.Log.Crashes;

/// <summary>
/// What is left of a disk whose power went after the first events of its journal: what was flushed, and of what was not
/// whatever the style says.
/// </summary>
/// <remarks>
/// What is promised is what fsync(2) and POSIX do: a file's bytes are durable once the file was flushed, its name once
/// its directory was; a rename is there or not, never half; bytes that were durable and are not written over stay.
/// Names that were not flushed come and go each for itself, in any combination.
/// </remarks>
internal sealed class PowerCut
{
    private const int PageBytes = 4096;

    private readonly Random _random;
    private readonly CutStyle _style;
    private readonly Dictionary<int, FileHistory> _files = [];
    private readonly List<NameChange> _changes = [];
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);

    private PowerCut(Random random, CutStyle style) => (_random, _style) = (random, style);

    /// <summary>What the next process finds.</summary>
    public static DiskImage After(SimulatedDisk disk, IEnumerable<DiskEvent> happened, CutStyle style, Random random)
    {
        var cut = new PowerCut(random, style);
        foreach (var (path, bytes) in disk.Image.Files.OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            cut._names.Add(path, cut._files.Count);
            cut._files.Add(cut._files.Count, new FileHistory(bytes));
        }

        // Where a file is that is not flushed to its present name.
        var current = new Dictionary<string, int>(cut._names, StringComparer.Ordinal);
        foreach (var one in happened)
        {
            cut.Take(one, current);
        }

        return new DiskImage(cut.Survivors(), disk.AllDirectories);
    }

    private void Take(DiskEvent happened, Dictionary<string, int> current)
    {
        switch (happened)
        {
            case DiskEvent.Created created:
                _files.Add(created.File, new FileHistory([]));
                current[created.Path] = created.File;
                _changes.Add(new NameChange(created.Path, created.File, null));
                break;
            case DiskEvent.Written or DiskEvent.Truncated:
                var file = happened is DiskEvent.Written written ? written.File : ((DiskEvent.Truncated)happened).File;
                _files[file].Changes.Add(new FileChange(happened));
                break;
            case DiskEvent.Flushed flushed:
                _files[flushed.File].Settle(Fate.Pending, Fate.Durable);
                break;
            case DiskEvent.FlushFailed failed:
                _files[failed.File].Settle(Fate.Pending, Fate.Doubtful);
                break;
            case DiskEvent.ProcessEnded:
                // What a flush has failed for stays so: the next process finds it in the cache, and its own flush, which
                // succeeds, does not write it unless it is written again.
                break;
            case DiskEvent.Renamed renamed:
                current.Remove(renamed.From, out var moved);
                current[renamed.To] = moved;
                _changes.Add(new NameChange(renamed.To, moved, renamed.From));
                break;
            case DiskEvent.Deleted deleted:
                current.Remove(deleted.Path);
                _changes.Add(new NameChange(deleted.Path, null, null));
                break;
            case DiskEvent.DirectoryFlushed directory:
                foreach (var change in _changes.Where(change => change.IsIn(directory.Path)))
                {
                    change.IsDurable = true;
                }

                break;
        }
    }

    private Dictionary<string, byte[]> Survivors()
    {
        foreach (var change in _changes.Where(change => change.IsDurable || Survives()))
        {
            if (change.From is not null)
            {
                _names.Remove(change.From);
            }

            if (change.File is { } file)
            {
                _names[change.Path] = file;
            }
            else
            {
                _names.Remove(change.Path);
            }
        }

        return _names.ToDictionary(name => name.Key, name => Content(name.Key, _files[name.Value]), StringComparer.Ordinal);
    }

    private bool Survives() => _style switch
    {
        CutStyle.Lost => false,
        CutStyle.Kept or CutStyle.DataKept or CutStyle.IndexKept => true,
        _ => _random.Next(2) == 0,
    };

    private byte[] Content(string path, FileHistory history)
    {
        var file = new SimulatedFile(0);
        file.Write(0, history.Before);
        var style = _style != CutStyle.Mixed ? _style : (CutStyle)_random.Next((int)CutStyle.Mixed + 1);
        var last = history.Changes.FindLastIndex(change => change.Fate == Fate.Pending);
        for (var i = 0; i < history.Changes.Count; i++)
        {
            var change = history.Changes[i];
            switch (change.Fate == Fate.Doubtful ? CutStyle.Mixed : style)
            {
                case var _ when change.Fate == Fate.Durable:
                case CutStyle.Kept:
                case CutStyle.DataKept when !path.EndsWith(".index", StringComparison.Ordinal):
                case CutStyle.IndexKept when !path.EndsWith(".native", StringComparison.Ordinal):
                case CutStyle.Torn when i < last:
                    change.Apply(file);
                    break;
                case CutStyle.Torn:
                    change.ApplyStart(file, _random);
                    break;
                case CutStyle.Zeroed:
                    change.ApplyPages(file, _ => Page.Zeroed, _random);
                    break;
                case CutStyle.Mixed:
                    change.ApplyPages(file, random => (Page)random.Next((int)Page.Zeroed + 1), _random);
                    break;
            }
        }

        return file.Bytes.ToArray();
    }

    private enum Fate
    {
        Pending,
        Durable,
        Doubtful,
    }

    private enum Page
    {
        Old,
        New,
        Torn,
        Zeroed,
    }

    private sealed class NameChange(string path, int? file, string? from)
    {
        public string Path => path;

        public int? File => file;

        public string? From => from;

        public bool IsDurable { get; set; }

        public bool IsIn(string directory) =>
            System.IO.Path.GetDirectoryName(path) == directory || System.IO.Path.GetDirectoryName(from) == directory;
    }

    private sealed class FileHistory(byte[] before)
    {
        public byte[] Before => before;

        public List<FileChange> Changes { get; } = [];

        public void Settle(Fate from, Fate to)
        {
            foreach (var change in Changes.Where(change => change.Fate == from))
            {
                change.Fate = to;
            }
        }
    }

    private sealed class FileChange(DiskEvent happened)
    {
        public Fate Fate { get; set; }

        public void Apply(SimulatedFile file)
        {
            if (happened is DiskEvent.Written written)
            {
                file.Write(written.Offset, written.Bytes);
            }
            else
            {
                file.SetLength(((DiskEvent.Truncated)happened).Length);
            }
        }

        public void ApplyStart(SimulatedFile file, Random random)
        {
            if (happened is DiskEvent.Written written)
            {
                file.Write(written.Offset, written.Bytes.AsSpan(0, random.Next(written.Bytes.Length + 1)));
            }
            else if (random.Next(2) == 0)
            {
                Apply(file);
            }
        }

        // Only what was beyond the end can come back as zeroes: what was durable there stays unless it is written over.
        public void ApplyPages(SimulatedFile file, Func<Random, Page> choose, Random random)
        {
            if (happened is not DiskEvent.Written written)
            {
                ApplyStart(file, random);
                return;
            }

            var bytes = written.Bytes.AsSpan();
            for (var at = 0; at < bytes.Length;)
            {
                var offset = written.Offset + at;
                var count = (int)Math.Min(bytes.Length - at, PageBytes - (offset % PageBytes));
                var piece = bytes.Slice(at, count);
                switch (choose(random))
                {
                    case Page.New:
                        file.Write(offset, piece);
                        break;
                    case Page.Torn:
                        file.Write(offset, piece[..random.Next(count + 1)]);
                        break;
                    case Page.Zeroed:
                        file.SetLength(Math.Max(file.Bytes.Length, offset + count));
                        break;
                }

                at += count;
            }
        }
    }
}
