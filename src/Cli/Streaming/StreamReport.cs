using System.Globalization;
using Ingest.Client;
using Ingest.V1;

namespace Ingest.Cli.Streaming;

/// <summary>What came of the files so far. Safe for use by several threads at once.</summary>
internal sealed class StreamReport
{
    /// <summary>How many unreadable lines are named; the rest is counted.</summary>
    public const int NamedFaults = 20;

    private readonly Lock _gate = new();
    private readonly List<string> _faults = [];
    private readonly List<string> _rejects = [];
    private readonly SortedSet<string> _notes = new(StringComparer.Ordinal);
    private long _files;
    private long _rows;
    private long _bytes;
    private long _faultCount;
    private long _accepted;
    private long _rejected;

    /// <summary>Files that were read.</summary>
    public long Files => Interlocked.Read(ref _files);

    /// <summary>Rows given to the client.</summary>
    public long Rows => Interlocked.Read(ref _rows);

    /// <summary>Bytes of files that were read, before unpacking.</summary>
    public long BytesRead => Interlocked.Read(ref _bytes);

    /// <summary>Lines that were no rows.</summary>
    public long FaultCount => Interlocked.Read(ref _faultCount);

    /// <summary>Rows that the server made durable.</summary>
    public long Accepted => Interlocked.Read(ref _accepted);

    /// <summary>Rows that the server put into dead_letters.</summary>
    public long Rejected => Interlocked.Read(ref _rejected);

    /// <summary>Counts a file.</summary>
    public void AddFile() => Interlocked.Increment(ref _files);

    /// <summary>Counts a row.</summary>
    public void AddRow() => Interlocked.Increment(ref _rows);

    /// <summary>Counts bytes of a file.</summary>
    public void AddBytes(int bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <summary>Counts a line that is no row.</summary>
    public void AddFault(string path, long line, string fault)
    {
        if (Interlocked.Increment(ref _faultCount) <= NamedFaults)
        {
            lock (_gate)
            {
                _faults.Add($"{path}:{line}: {fault}");
            }
        }
    }

    /// <summary>Notes something to know that is no fault, such as columns that were not used; once.</summary>
    public void AddNote(string note)
    {
        lock (_gate)
        {
            _notes.Add(note);
        }
    }

    /// <summary>Adds what the server said of a stream.</summary>
    public void AddResult(StreamResult result, RowOrigins origins)
    {
        Interlocked.Add(ref _accepted, result.AcceptedCount);
        Interlocked.Add(ref _rejected, result.RejectedCount);
        lock (_gate)
        {
            foreach (var error in result.Errors)
            {
                _rejects.Add($"{origins.Find(error.Row)}: {Describe(error)}");
            }
        }
    }

    /// <summary>Writes the notes, and names unreadable lines and rejected rows as far as they are known.</summary>
    public void WriteRemarks(TextWriter writer)
    {
        lock (_gate)
        {
            foreach (var note in _notes)
            {
                writer.WriteLine($"note: {note}");
            }
            Write(writer, "unreadable", _faults, FaultCount);
            Write(writer, "rejected", _rejects, Rejected);
        }
    }

    /// <summary>A rejected row's fault in words.</summary>
    public static string Describe(RowError error)
    {
        var what = error.Message.Length > 0 ? error.Message : error.Code.ToString();
        return error.Field.Length == 0 || what.StartsWith(error.Field, StringComparison.Ordinal)
            ? what
            : $"{error.Field}: {what}";
    }

    private static void Write(TextWriter writer, string kind, List<string> named, long count)
    {
        foreach (var line in named)
        {
            writer.WriteLine($"{kind}: {line}");
        }
        if (count > named.Count)
        {
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{kind}: and {count - named.Count:N0} more"));
        }
    }
}
