using System.Buffers;
using System.Globalization;
using Ingest.Columns;
using Ingest.Stores;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Log.Inspection;

/// <summary>What was set aside in a data directory, and the way back.</summary>
public sealed class QuarantineDirectory
{
    private readonly string _data;

    private QuarantineDirectory(string data) => _data = data;

    private string FullPath => Path.Combine(_data, "quarantine");

    /// <summary>The quarantine of a data directory.</summary>
    /// <exception cref="DirectoryNotFoundException">It is no data directory.</exception>
    public static QuarantineDirectory Of(string dataDirectory) => new(DataDirectory.Find(dataDirectory));

    /// <summary>All pieces, by name.</summary>
    public IReadOnlyList<QuarantinedPiece> List() => !Directory.Exists(FullPath)
        ? []
        :
        [
            .. Directory.GetFiles(FullPath).Select(file => Path.Combine(FullPath, Path.GetFileNameWithoutExtension(file)))
                .Distinct().Order(StringComparer.Ordinal).Select(QuarantineContent.Read).OfType<QuarantineContent>()
                .Select(Describe),
        ];

    /// <summary>One piece.</summary>
    /// <exception cref="FileNotFoundException">There is none of the name.</exception>
    public QuarantinedPiece Find(string name) => Describe(Read(name));

    /// <summary>Rows of a piece as texts, by column.</summary>
    /// <param name="name">The piece.</param>
    /// <param name="count">How many at most.</param>
    /// <exception cref="FileNotFoundException">There is none of the name.</exception>
    public IEnumerable<IReadOnlyDictionary<string, string>> Rows(string name, int count)
    {
        foreach (QuarantinedBlock block in Read(name).Blocks)
        {
            foreach (IReadOnlyDictionary<string, string> row in RowsOf(block.Bytes))
            {
                if (count-- <= 0)
                {
                    yield break;
                }

                yield return row;
            }
        }
    }

    /// <summary>Rows of a block in Native format as texts, by column; none when it is no block.</summary>
    public static IReadOnlyList<IReadOnlyDictionary<string, string>> RowsOf(ReadOnlyMemory<byte> block)
    {
        try
        {
            var content = BlockContent.Read(block);
            return [.. Enumerable.Range(0, content.Rows).Select(row => BlockText.Row(content, row))];
        }
        catch (InvalidDataException)
        {
            return [];
        }
    }

    /// <summary>Whose rows a piece has, as far as its index says: producers with first offset and count.</summary>
    /// <exception cref="FileNotFoundException">There is none of the name.</exception>
    public IReadOnlyList<(string ProducerId, long FirstOffset, int Rows)> Producers(string name) =>
    [
        .. Read(name).Blocks.SelectMany(block => block.Record.Entries).Where(entry => entry.RowCount > 0)
            .Select(entry => (entry.ProducerId, entry.FirstOffset, entry.RowCount)),
    ];

    /// <summary>
    /// Gives a piece back to the log of a stopped server; its next start brings the rows into the store, once. A whole
    /// segment goes back as it was. A part of one becomes a segment of its own, of the same time, under an id that
    /// follows from the bytes: given back again it is the same segment, which the store has.
    /// </summary>
    /// <param name="name">The piece.</param>
    /// <param name="isUnverified">Whether blocks whose checksum does not hold go back too.</param>
    /// <returns>The segment that the rows are in now, and how many they are.</returns>
    /// <exception cref="FileNotFoundException">There is none of the name.</exception>
    /// <exception cref="DataDirectoryInUseException">A server has the directory.</exception>
    /// <exception cref="InvalidDataException">It cannot be given back; the text says why.</exception>
    public (ulong SegmentId, long Rows) Restore(string name, bool isUnverified)
    {
        using DataDirectory directory = DataDirectory.Open(DiskFiles.Instance, _data, NullLogger.Instance);
        QuarantineContent content = Read(name);
        if (content.Kind == QuarantineKind.Producers)
        {
            throw new InvalidDataException($"{name} was replaced when it was found damaged; there is nothing to give back");
        }

        string log = directory.TableDirectory(content.Table);
        DiskFiles.Instance.CreateDirectory(log);
        if (content.IsWholeSegment)
        {
            MoveBack(content, log);
            return (content.SegmentId, content.Blocks.Sum(block => (long)block.Record.Rows));
        }

        var restored = RestoreBlocks(content, directory, log, isUnverified);
        foreach (string file in Directory.GetFiles(FullPath, Path.GetFileName(content.Stem) + ".*"))
        {
            DiskFiles.Instance.Delete(file);
        }

        DiskFiles.Instance.FlushDirectory(FullPath);
        return restored;
    }

    // The index goes last: without it recovery would put the data into quarantine again.
    private void MoveBack(QuarantineContent content, string log)
    {
        string stem = content.SegmentId.ToString(CultureInfo.InvariantCulture)
            + (content.Suffix.Length > 0 ? "-" + content.Suffix : "");
        DiskFiles.Instance.Delete(content.Stem + SegmentQuarantine.ReasonExtension);
        foreach (string file in Directory.GetFiles(FullPath, Path.GetFileName(content.Stem) + ".*").OrderBy(IsIndex))
        {
            DiskFiles.Instance.Rename(file, Path.Combine(log, stem + Path.GetExtension(file)));
            DiskFiles.Instance.FlushDirectory(log);
        }

        DiskFiles.Instance.FlushDirectory(FullPath);

        static bool IsIndex(string file) => file.EndsWith(SegmentFiles.IndexExtension, StringComparison.Ordinal);
    }

    private static (ulong SegmentId, long Rows) RestoreBlocks(
        QuarantineContent content, DataDirectory directory, string log, bool isUnverified)
    {
        var good = new List<(QuarantinedBlock Block, BlockContent Content)>();
        foreach (QuarantinedBlock block in content.Blocks.Where(block => block.Fault is null || isUnverified))
        {
            if (block.Record.Rows > 0)
            {
                good.Add((block, BlockContent.Read(block.Bytes)));
            }
        }

        if (good.Count == 0 || (content.Fault is not null && !isUnverified))
        {
            throw new InvalidDataException(
                $"{Path.GetFileName(content.Stem)}: {content.Fault ?? "it has no rows"}"
                + (isUnverified ? "" : "; --unverified gives back what can be read of it"));
        }

        var checksum = default(Checksum);
        good.ForEach(block => checksum.Add(block.Block.Bytes.Span));
        ulong id = SegmentIds.Again(content.SegmentId, checksum.Value);
        var files = new SegmentFiles(log, id, 0);
        if (File.Exists(files.Index))
        {
            // Given back before, and a crash kept the piece: it is the same.
            return (id, good.Sum(block => (long)block.Content.Rows));
        }

        IndexHeader header = (content.Header ?? new IndexHeader(directory.Id, id, content.Table, ReadOnlyMemory<byte>.Empty))
            with
            { SegmentId = id };
        var index = new ArrayBufferWriter<byte>();
        index.Write(header.ToArray());
        Write(files.Data + SegmentFiles.TemporaryExtension, data =>
        {
            foreach ((QuarantinedBlock block, BlockContent rows) in good)
            {
                byte[] bytes = rows.Move(id);
                IndexRecord.Write(index, id, new BlockRecord(
                    data.Position, bytes.Length, rows.Rows, Checksum.Of(bytes), block.Record.Entries));
                data.Write(bytes);
            }
        });
        Write(files.Index + SegmentFiles.TemporaryExtension, target => target.Write(index.WrittenSpan));
        DiskFiles.Instance.Rename(files.Data + SegmentFiles.TemporaryExtension, files.Data);
        DiskFiles.Instance.FlushDirectory(log);
        DiskFiles.Instance.Rename(files.Index + SegmentFiles.TemporaryExtension, files.Index);
        DiskFiles.Instance.FlushDirectory(log);
        return (id, good.Sum(block => (long)block.Content.Rows));
    }

    private static void Write(string path, Action<FileStream> write)
    {
        using FileStream file = File.Create(path);
        write(file);
        file.Flush(flushToDisk: true);
    }

    private QuarantineContent Read(string name)
    {
        string stem = Path.Combine(FullPath, Path.GetFileName(name));
        bool exists = Directory.Exists(FullPath)
            && (File.Exists(stem) || Directory.GetFiles(FullPath, Path.GetFileName(name) + ".*").Length > 0);
        return (exists ? QuarantineContent.Read(stem) : null)
            ?? throw new FileNotFoundException($"there is no '{name}' in {FullPath}");
    }

    private static QuarantinedPiece Describe(QuarantineContent content)
    {
        string data = content.Kind == QuarantineKind.Producers ? content.Stem : content.Stem + SegmentFiles.DataExtension;
        return new QuarantinedPiece(
            Path.GetFileName(content.Stem), content.Kind, content.Table, content.SegmentId,
            File.Exists(data) ? File.GetLastWriteTimeUtc(data) : default, File.Exists(data) ? new FileInfo(data).Length : 0,
            content.Blocks.Count, content.Blocks.Sum(block => (long)block.Record.Rows), content.Reason,
            content.Kind == QuarantineKind.Producers ? null : content.Fault);
    }
}
