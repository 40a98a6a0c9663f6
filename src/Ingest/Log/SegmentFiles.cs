using System.Globalization;

namespace Ingest.Log;

/// <summary>Names of a segment's files, and the order in which they go.</summary>
/// <remarks>
/// `ID.native` and `ID.index`; a segment that was written anew without its rotten blocks is `ID-1.native`, `ID-1.index`
/// and so on. `ID.end` says where a segment ends whose last write failed. An index renamed to `ID.released` says that
/// its data may be deleted. `ID.spare` was a deleted segment's data file; nothing in it counts.
/// </remarks>
/// <param name="Directory">Directory of the table in the log.</param>
/// <param name="SegmentId">Id of the segment.</param>
/// <param name="Generation">How often it was written anew.</param>
internal sealed record SegmentFiles(string Directory, ulong SegmentId, int Generation)
{
    /// <summary>Extension of data files.</summary>
    public const string DataExtension = ".native";

    /// <summary>Extension of index files.</summary>
    public const string IndexExtension = ".index";

    /// <summary>Extension of files that say where a segment ends.</summary>
    public const string EndExtension = ".end";

    /// <summary>Extension of files that say what became of the pieces of a segment that the store refused.</summary>
    public const string PiecesExtension = ".pieces";

    /// <summary>Extension of the index of a segment that is being deleted.</summary>
    public const string ReleasedExtension = ".released";

    /// <summary>Extension of a data file whose segment is deleted, and which another may be written over.</summary>
    public const string SpareExtension = ".spare";

    /// <summary>Extension of files that are not finished.</summary>
    public const string TemporaryExtension = ".tmp";

    /// <summary>The data file: Native blocks and nothing else.</summary>
    public string Data => WithExtension(DataExtension);

    /// <summary>The index file.</summary>
    public string Index => WithExtension(IndexExtension);

    /// <summary>The file that says where the segment ends, after a failed write.</summary>
    public string End => WithExtension(EndExtension);

    /// <summary>The file that says what became of its pieces, after the store refused the whole.</summary>
    public string Pieces => WithExtension(PiecesExtension);

    /// <summary>The index's name while the segment is deleted.</summary>
    public string Released => WithExtension(ReleasedExtension);

    /// <summary>The data file's name when the segment is deleted and the file is kept.</summary>
    public string Spare => WithExtension(SpareExtension);

    /// <summary>Name of the files without extension, where they do not lie in the log; null in the log.</summary>
    public string? ForeignName { get; init; }

    private string Stem => ForeignName is not null ? ForeignName
        : Generation == 0
        ? SegmentId.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{SegmentId}-{Generation}");

    /// <summary>Reads the name of one of a segment's files.</summary>
    public static bool TryParse(string path, out SegmentFiles? files)
    {
        files = null;
        var stem = Path.GetFileNameWithoutExtension(path.AsSpan());
        var generation = 0;
        if (stem.IndexOf('-') is >= 0 and var dash)
        {
            if (!int.TryParse(stem[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out generation))
            {
                return false;
            }

            stem = stem[..dash];
        }

        if (!ulong.TryParse(stem, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
        {
            return false;
        }

        files = new SegmentFiles(Path.GetDirectoryName(path) ?? "", id, generation);
        return true;
    }

    /// <summary>The names under which the segment is written anew.</summary>
    public SegmentFiles NextGeneration() => this with { Generation = Generation + 1 };

    /// <summary>
    /// Deletes the segment. Whatever is left after a crash tells by its names that the rest may go: the index first
    /// changes its name, and goes last.
    /// </summary>
    /// <param name="disk">Where they are.</param>
    /// <param name="keepsData">Whether the data file stays, as <see cref="Spare"/>, unless its last write failed.</param>
    /// <returns>Whether it did.</returns>
    public bool Delete(ILogFiles disk, bool keepsData = false)
    {
        keepsData = keepsData && !disk.Exists(End) && disk.Exists(Data);
        if (disk.Exists(Index))
        {
            disk.Rename(Index, Released);
            if (disk.Exists(End))
            {
                // Names go in any order in a power loss: without its end file the segment would be longer than what the
                // store has of it.
                disk.FlushDirectory(Directory);
            }
        }

        if (keepsData)
        {
            disk.Rename(Data, Spare);
        }
        else
        {
            disk.Delete(Data);
        }

        disk.Delete(End);
        disk.Delete(Pieces);
        disk.Delete(Released);
        return keepsData;
    }

    private string WithExtension(string extension) => Path.Combine(Directory, Stem + extension);
}
