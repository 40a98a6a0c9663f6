using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Ingest.Log;

namespace Ingest.Stores.ClickHouse;

/// <summary>Remembers, over restarts, to which server each segment was sent first.</summary>
/// <remarks>
/// A token and a count only hold within a shard. So before the first byte of a segment leaves, a line with its id, the
/// server's URL and the segment's path is written and fsync'd; from then on the segment belongs to that server's shard,
/// whatever the list of shards becomes. A segment without a line was never sent. Lines are dropped when their segment's
/// file is gone, never before: the file is deleted after the store has it.
/// </remarks>
internal sealed class PlacementJournal : IAsyncDisposable
{
    private const int LinesBeforeRewrite = 10_000;
    private const string Heading = "ingest placements 1";

    private readonly string _path;
    private readonly string _directory;
    private readonly StoreThread _thread = new("store placements");
    private readonly ConcurrentDictionary<ulong, Placement> _placements = new();
    private FileStream? _file;
    private int _lines;

    private PlacementJournal(string path)
    {
        _path = path;
        _directory = Path.GetDirectoryName(path)!;
    }

    /// <summary>
    /// Whether it knows every segment that an earlier run sent; if not (it is new, or damaged), any shard may have one.
    /// </summary>
    public bool IsWhole { get; private set; }

    /// <summary>Opens the journal, or begins one.</summary>
    /// <param name="path">Path of its file, in the data directory.</param>
    /// <exception cref="StoreException">The file cannot be read or written.</exception>
    public static async Task<PlacementJournal> OpenAsync(string path)
    {
        var journal = new PlacementJournal(Path.GetFullPath(path));
        try
        {
            await journal._thread.RunAsync(journal.Read);
            return journal;
        }
        catch (Exception e)
        {
            await journal.DisposeAsync();
            throw e is IOException or UnauthorizedAccessException ? Unwritable(path, e) : e;
        }
    }

    /// <summary>URL of the server that a segment was sent to first; null when it was never sent.</summary>
    public string? Find(ulong segmentId) =>
        _placements.TryGetValue(segmentId, out Placement? placement) ? placement.Url : null;

    /// <summary>Writes down where a segment is about to be sent; when it returns the line survives a power loss.</summary>
    /// <exception cref="StoreException">The line could not be written; the segment must not be sent.</exception>
    public Task RecordAsync(SealedSegment segment, Uri url) => _thread.RunAsync(() =>
    {
        string path = Path.GetRelativePath(_directory, segment.Path);
        try
        {
            if (_lines >= LinesBeforeRewrite)
            {
                Rewrite();
            }

            _file!.Write(Encoding.UTF8.GetBytes(Line(segment.SegmentId, url.AbsoluteUri, path)));
            _file.Flush(flushToDisk: true);
            _lines++;
        }
        catch (IOException e)
        {
            // What the file ends with is not known; it is written anew before the next line.
            _lines = LinesBeforeRewrite;
            throw Unwritable(_path, e);
        }

        _placements[segment.SegmentId] = new Placement(url.AbsoluteUri, path);
    });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _thread.DisposeAsync();
        _file?.Dispose();
    }

    private static string Line(ulong segmentId, string url, string path) =>
        string.Create(CultureInfo.InvariantCulture, $"{segmentId}\t{url}\t{path}\n");

    private static StoreException Unwritable(string path, Exception e) =>
        new($"{path} cannot be written: {e.Message}", StoreFault.Unavailable, e);

    private void Read()
    {
        if (File.Exists(_path))
        {
            string[] lines = File.ReadAllText(_path).Split('\n');
            IsWhole = lines[0] == Heading;

            // What stands behind the last line's end was not fsync'd, so nothing was sent for it.
            foreach (string line in lines.Skip(1).SkipLast(1))
            {
                string[] fields = line.Split('\t', 3);
                if (fields.Length == 3
                    && ulong.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out ulong id))
                {
                    _placements[id] = new Placement(fields[1], fields[2]);
                }
                else
                {
                    IsWhole = false;
                }
            }
        }

        Rewrite();
    }

    private void Rewrite()
    {
        foreach ((ulong id, Placement placement) in _placements)
        {
            if (!IsThere(Path.Combine(_directory, placement.Path)))
            {
                _placements.TryRemove(id, out _);
            }
        }

        string temporary = _path + ".tmp";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            var text = new StringBuilder(Heading).Append('\n');
            foreach ((ulong id, Placement placement) in _placements)
            {
                text.Append(Line(id, placement.Url, placement.Path));
            }

            file.Write(Encoding.UTF8.GetBytes(text.ToString()));
            file.Flush(flushToDisk: true);
        }

        _file?.Dispose();
        DiskFiles.Instance.Rename(temporary, _path);
        DiskFiles.Instance.FlushDirectory(_directory);
        _file = new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.Read);
        _lines = 0;
    }

    /// <summary>Whether a segment's file is there, or what recovery made of it: ID-1.native, ID-2.native.</summary>
    private static bool IsThere(string path)
    {
        string directory = Path.GetDirectoryName(path)!;
        return File.Exists(path)
            || (Directory.Exists(directory)
                && Directory.EnumerateFiles(directory, Path.GetFileNameWithoutExtension(path) + "-*").Any());
    }

    private sealed record Placement(string Url, string Path);
}
