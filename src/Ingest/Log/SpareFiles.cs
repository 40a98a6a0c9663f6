using Microsoft.Extensions.Logging;

namespace Ingest.Log;

/// <summary>
/// Data files of segments that the store has, kept for a table's next segments to be written over: pages that are in the
/// cache and blocks that are on the disk need not be made again, which is most of what a write costs
/// (docs/performance.md, "Files that are written over").
/// </summary>
/// <remarks>Used by the lane's thread, and by those who release segments.</remarks>
internal sealed class SpareFiles(ILogFiles disk, LogOptions options, ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly List<string> _paths = [];
    private int _promised; // Segments that are being deleted, whose files come next.
    private int _unused; // The fewest that lay here since the last trim, at the list's start.

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _paths.Count;
            }
        }
    }

    /// <summary>
    /// Whether the data file of a segment that is deleted now is to be kept; then <see cref="Add"/> or
    /// <see cref="Decline"/> follows. Those of segments sealed by age, before they were half full, are not: their table
    /// is in no hurry.
    /// </summary>
    public bool Wants(SealedSegment segment)
    {
        if (segment.Length < options.SegmentBytes / 2 && segment.Rows < options.SegmentRows / 2)
        {
            return false;
        }

        lock (_gate)
        {
            if (_paths.Count + _promised >= options.SpareFiles)
            {
                return false;
            }

            _promised++;
            return true;
        }
    }

    /// <summary>Takes a file that was promised, under the name that it has now.</summary>
    public void Add(string path)
    {
        lock (_gate)
        {
            _promised--;
            _paths.Add(path);
        }
    }

    /// <summary>The file that was promised does not come.</summary>
    public void Decline()
    {
        lock (_gate)
        {
            _promised--;
        }
    }

    /// <summary>A file to write over, null when there is none: the last that came, whose pages are likeliest in the cache.</summary>
    public string? Take()
    {
        lock (_gate)
        {
            if (_paths.Count == 0)
            {
                return null;
            }

            var path = _paths[^1];
            _paths.RemoveAt(_paths.Count - 1);
            _unused = Math.Min(_unused, _paths.Count);
            return path;
        }
    }

    /// <summary>Deletes what nobody took since the last trim. What the disk refuses the next start does.</summary>
    public void Trim()
    {
        string[] unused;
        lock (_gate)
        {
            unused = [.. _paths.Take(_unused)];
            _paths.RemoveRange(0, _unused);
            _unused = _paths.Count;
        }

        foreach (var path in unused)
        {
            try
            {
                disk.Delete(path);
            }
            catch (Exception e) when (DiskFault.Is(e))
            {
                LogMessages.SpareNotDeleted(logger, path, e);
            }
        }
    }
}
