namespace Ingest.Log.Inspection;

/// <summary>
/// What lies in the log of a data directory, every checksum verified. Changes nothing, and can be made while a server
/// writes there.
/// </summary>
public sealed record LogInspection
{
    /// <summary>The directory.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Its UUID; null when the file is missing or damaged.</summary>
    public Guid? DirectoryId { get; init; }

    /// <summary>Whether a server has it now.</summary>
    public bool IsInUse { get; init; }

    /// <summary>Tables, by name.</summary>
    public required IReadOnlyList<InspectedTable> Tables { get; init; }

    /// <summary>What was set aside.</summary>
    public required IReadOnlyList<QuarantinedPiece> Quarantine { get; init; }

    /// <summary>Everything that is wrong, in words.</summary>
    public IEnumerable<string> Faults => Tables.SelectMany(table =>
        table.Faults.Concat(table.Segments.SelectMany(segment => segment.Faults)));

    /// <summary>Looks at a data directory.</summary>
    /// <exception cref="DirectoryNotFoundException">It is no data directory.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static LogInspection Read(string dataDirectory)
    {
        string path = Ingest.Log.DataDirectory.Find(dataDirectory);
        bool isInUse = Ingest.Log.DataDirectory.IsInUse(path);
        var disk = new DryFiles();
        return new LogInspection
        {
            DataDirectory = path,
            DirectoryId = Ingest.Log.DataDirectory.ReadId(path),
            IsInUse = isInUse,
            Tables =
            [
                .. disk.Directories(Path.Combine(path, "log")).Order(StringComparer.Ordinal)
                    .Select(table => ReadTable(disk, table, isInUse)),
            ],
            Quarantine = QuarantineDirectory.Of(path).List(),
        };
    }

    private static InspectedTable ReadTable(DryFiles disk, string path, bool isInUse)
    {
        var faults = new List<string>();
        var segments = new List<InspectedSegment>();
        var producers = new RecoveredProducers(new ProducerFile(disk, path));
        if (producers.ReadFile() is var damaged and > 0)
        {
            faults.Add($"{producers.File.Path}: {damaged} bytes are no records");
        }

        SegmentInventory inventory = SegmentInventory.Read(disk, path);
        foreach (SegmentFiles files in inventory.Segments)
        {
            // What vanishes meanwhile is in the store.
            if (Try(() => ReadSegment(disk, files, isInUse, producers)) is { } segment)
            {
                segments.Add(segment);
            }
        }

        if (!isInUse)
        {
            faults.AddRange(inventory.Orphans.Where(files => new FileInfo(files.Data).Length > 0)
                .Select(files => $"{files.Data}: it has no index"));
        }

        return new InspectedTable(
            Path.GetFileName(path), segments,
            [
                .. producers.Table.All.OrderBy(p => p.Id, StringComparer.Ordinal).Select(p => new InspectedProducer(
                    p.Id, p.Epoch, p.Offsets.End, DateTimeOffset.FromUnixTimeSeconds(p.LastSeen))),
            ],
            faults);
    }

    private static InspectedSegment ReadSegment(
        DryFiles disk, SegmentFiles files, bool isInUse, RecoveredProducers producers)
    {
        var faults = new List<string>();
        try
        {
            if (SegmentEnd.TryRead(disk, files, out long dataLength, out long indexLength))
            {
                disk.Cut(files.Data, dataLength);
                disk.Cut(files.Index, indexLength);
            }
        }
        catch (InvalidDataException e)
        {
            faults.Add($"{files.End}: {e.Message}");
        }

        SegmentScan scan = SegmentScan.Run(disk, files);
        List<BlockRecord> good = [.. scan.Kept.Where(block => block.Fault is null).Select(block => block.Record!)];
        producers.AddSegment(files.SegmentId, good.SelectMany(record => record.Entries));
        if (scan.Header is null && (!scan.IsEmpty || !IndexHeader.IsTorn(scan.Index)))
        {
            faults.Add($"{files.Index}: its header is damaged");
        }

        faults.AddRange(scan.Kept.Where(block => block.Fault is not null).Select(
            block => $"{files.Data}: block at {block.Offset}, {block.Length} bytes, {block.Rows} rows: {block.Fault}"));
        if (scan.HasDescribedTail && !isInUse)
        {
            faults.Add(
                $"{files.Data}: the end from {scan.DataEnd} on, {scan.DescribedEnd - scan.DataEnd} bytes, is torn by a power "
                + "loss or rotten");
        }

        if (faults.Count > 0 && isInUse && !disk.Exists(files.Index))
        {
            throw new FileNotFoundException("deleted meanwhile, and perhaps its data file written over", files.Index);
        }

        long tail = Math.Max(0, scan.DataLength - scan.DataEnd);

        return new InspectedSegment(
            files.SegmentId, files.Data, SegmentIds.TimeOf(files.SegmentId), good.Count(record => record.Rows > 0),
            scan.Rows, good.Sum(record => (long)record.Length), tail, disk.Exists(files.Pieces), faults);
    }

    private static T? Try<T>(Func<T> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
