using System.Globalization;
using System.Text;
using Ingest.Log;

namespace Ingest.Stores.Poison;

/// <summary>
/// What became of the pieces of a segment that the store refused, beside the segment: `ID.pieces`. A line is on disk
/// before the next piece is sent, so a run that follows knows all of them but the one that was under way.
/// </summary>
/// <remarks>
/// Lines are `CHECKSUM WHAT FIRST COUNT TEXT`; the first is `segment`, with the token that the pieces were cut from and
/// the store's words about the whole. The file goes with its segment. Used by one task at a time.
/// </remarks>
internal sealed class PieceJournal : IDisposable
{
    private const string Whole = "segment";
    private const string Landed = "landed";
    private const string Refused = "refused";
    private const int MaxReasonCharacters = 500;

    private readonly Dictionary<RowRange, PieceOutcome> _outcomes = [];
    private readonly ILogFile _file;
    private long _end;

    private PieceJournal(ILogFile file) => _file = file;

    /// <summary>What the store said of the whole segment.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Pieces of which it is known what became of them.</summary>
    public IReadOnlyCollection<PieceOutcome> Outcomes => _outcomes.Values;

    /// <summary>Rows that the store has of them.</summary>
    public long LandedRows { get; private set; }

    /// <summary>Begins the journal of a segment that was refused; durable when it returns.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static PieceJournal Begin(SealedSegment segment, string reason)
    {
        string path = PathOf(segment);
        DiskFiles.Instance.Delete(path);
        var journal = new PieceJournal(DiskFiles.Instance.Create(path)) { Reason = Shorten(reason) };
        journal.Append(Whole, new RowRange(0, segment.Rows), $"{segment.Token} {journal.Reason}");
        DiskFiles.Instance.FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        return journal;
    }

    /// <summary>
    /// Reads the journal of an earlier run; null when there is none, or no line of it was finished, so that no piece was
    /// sent. A last line that was cut short counts for nothing.
    /// </summary>
    /// <exception cref="InvalidDataException">It is damaged, or the segment's content has changed since.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static PieceJournal? Open(SealedSegment segment)
    {
        if (!SegmentFiles.TryParse(segment.Path, out SegmentFiles? files) || !File.Exists(files!.Pieces))
        {
            return null;
        }

        var journal = new PieceJournal(DiskFiles.Instance.Open(files.Pieces));
        bool isBegun = false;
        try
        {
            isBegun = journal.Read(segment);
            return isBegun ? journal : null;
        }
        finally
        {
            if (!isBegun)
            {
                journal.Dispose();
            }
        }
    }

    /// <summary>What became of a piece; null when that is not known.</summary>
    public PieceOutcome? Find(RowRange piece) => _outcomes.GetValueOrDefault(piece);

    /// <summary>Notes what became of a piece; durable when it returns.</summary>
    public void Add(PieceOutcome outcome)
    {
        PieceOutcome shortened = outcome with { Reason = Shorten(outcome.Reason) };
        Append(outcome.Result == PieceResult.Landed ? Landed : Refused, outcome.Rows, shortened.Reason);
        Note(shortened);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>One line of what an engine said, without its version and stack.</summary>
    private static string Shorten(string reason)
    {
        string line = reason.ReplaceLineEndings(" ").Trim();
        int version = line.LastIndexOf(" (version ", StringComparison.Ordinal);
        line = version > 0 ? line[..version] : line;
        return line.Length > MaxReasonCharacters ? line[..MaxReasonCharacters] + "..." : line;
    }

    private static string PathOf(SealedSegment segment) => SegmentFiles.TryParse(segment.Path, out SegmentFiles? files)
        ? files!.Pieces
        : throw new InvalidDataException($"{segment.Path} is no name of a segment");

    private void Append(string what, RowRange rows, string text)
    {
        byte[] line = Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{what} {rows.First} {rows.Count} {text}").TrimEnd());
        byte[] bytes =
        [
            .. Encoding.ASCII.GetBytes(Checksum.Of(line).ToString("x8", CultureInfo.InvariantCulture)), (byte)' ',
            .. line, (byte)'\n',
        ];
        _file.Write([bytes], _end);
        _file.Flush();
        _end += bytes.Length;
    }

    private void Note(PieceOutcome outcome)
    {
        _outcomes[outcome.Rows] = outcome;
        LandedRows += outcome.Result == PieceResult.Landed ? outcome.Rows.Count : 0;
    }

    private bool Read(SealedSegment segment)
    {
        byte[] bytes = new byte[_file.Length];
        _file.Read(bytes, 0);
        bool isFirst = true;
        while (bytes.AsSpan((int)_end).IndexOf((byte)'\n') is var length and >= 0)
        {
            if (!TryParse(bytes.AsSpan((int)_end, length), out string what, out RowRange rows, out string text))
            {
                break;
            }

            if (isFirst != (what == Whole)
                || (isFirst && (rows.Count != segment.Rows || !text.StartsWith(segment.Token + " ", StringComparison.Ordinal))))
            {
                throw new InvalidDataException("its pieces were cut from another content");
            }

            if (isFirst)
            {
                Reason = text[(segment.Token.Length + 1)..];
            }
            else
            {
                Note(new PieceOutcome(rows, what == Landed ? PieceResult.Landed : PieceResult.Refused, text));
            }

            isFirst = false;
            _end += length + 1;
        }

        // One line is under way at a time. More than that behind the last good one is rot.
        if (bytes.AsSpan((int)_end).Count((byte)'\n') > 1)
        {
            throw new InvalidDataException("what became of its pieces can no longer be read");
        }

        _file.Truncate(_end);
        UnsureBytes.WriteAgain(_file);
        return !isFirst;
    }

    private static bool TryParse(ReadOnlySpan<byte> line, out string what, out RowRange rows, out string text)
    {
        (what, rows, text) = ("", default, "");
        if (line.Length < 9
            || !uint.TryParse(line[..8], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint checksum)
            || Checksum.Of(line[9..]) != checksum)
        {
            return false;
        }

        string[] fields = Encoding.UTF8.GetString(line[9..]).Split(' ', 4);
        (what, text) = (fields[0], fields.Length > 3 ? fields[3] : "");
        rows = new RowRange(
            long.Parse(fields[1], CultureInfo.InvariantCulture), long.Parse(fields[2], CultureInfo.InvariantCulture));
        return true;
    }
}
