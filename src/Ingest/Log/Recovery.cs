using System.Diagnostics;
using Ingest.Schema;
using Microsoft.Extensions.Logging;

namespace Ingest.Log;

/// <summary>
/// What happens to the segments of earlier runs when the log is opened: verified (in parallel), an unacknowledged tail
/// cut, damage moved to quarantine and the good blocks around it kept, producers restored, everything sealed.
/// </summary>
/// <remarks>Each step leaves what a crash in it would not mislead the next recovery about.</remarks>
internal sealed class Recovery(
    ILogFiles disk, DataDirectory directory, IReadOnlyCollection<TableSchema> tables, ILogger logger)
{
    private readonly Quarantine _quarantine = new(disk, directory.QuarantineDirectory, logger);
    private readonly Dictionary<string, RecoveredProducers> _producers = new(StringComparer.Ordinal);
    private readonly List<SealedSegment> _sealed = [];
    private readonly List<SegmentFiles> _withoutRows = [];
    private long _cutBytes;

    /// <summary>The segments, by table and age.</summary>
    public IReadOnlyList<SealedSegment> Sealed => _sealed;

    /// <summary>Producers by table.</summary>
    public IReadOnlyDictionary<string, RecoveredProducers> Producers => _producers;

    /// <summary>Recovers everything. Ids that were found are observed by <paramref name="ids"/>.</summary>
    public RecoveryReport Run(SegmentIds ids, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var unknown = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var path in disk.Directories(directory.LogDirectory).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(path);
            var inventory = SegmentInventory.Read(disk, path);
            foreach (var files in inventory.Segments.Concat(inventory.Orphans))
            {
                ids.Observe(files.SegmentId);
            }

            if (tables.FirstOrDefault(table => table.Name == name) is { } table)
            {
                RecoverTable(table, inventory, cancellationToken);
            }
            else if (inventory.Segments.Count > 0)
            {
                unknown.Add(name, inventory.Segments.Count);
                LogMessages.UnknownTableKept(logger, name, inventory.Segments.Count, inventory.DataBytes(disk));
            }
        }

        var report = new RecoveryReport
        {
            Segments = _sealed.Count,
            Rows = _sealed.Sum(segment => segment.Rows),
            Bytes = _sealed.Sum(segment => segment.Length),
            CutBytes = _cutBytes,
            Quarantined = _quarantine.Pieces,
            QuarantinedRows = _quarantine.Rows,
            UnknownTables = unknown,
            Elapsed = Stopwatch.GetElapsedTime(started),
        };
        if (_sealed.Count > 0 || _cutBytes > 0)
        {
            LogMessages.LogRecovered(
                logger, report.Elapsed.TotalSeconds, report.Segments, report.Rows, report.Bytes, report.CutBytes);
        }

        return report;
    }

    /// <summary>Recovers one table that was not known when the rest was.</summary>
    public RecoveredProducers RunOne(TableSchema table)
    {
        RecoverTable(table, SegmentInventory.Read(disk, directory.TableDirectory(table.Name)), default);
        return _producers[table.Name];
    }

    private void RecoverTable(TableSchema table, SegmentInventory inventory, CancellationToken cancellationToken)
    {
        foreach (var obsolete in inventory.Obsolete)
        {
            disk.Delete(obsolete);
        }

        foreach (var orphan in inventory.Orphans)
        {
            RecoverOrphan(table.Name, orphan);
        }

        var scans = new SegmentScan[inventory.Segments.Count];
        var options = new ParallelOptions
        {
            CancellationToken = cancellationToken,
            MaxDegreeOfParallelism = Environment.ProcessorCount,
        };
        Parallel.For(0, scans.Length, options, i =>
        {
            ApplyEnd(inventory.Segments[i]);
            scans[i] = SegmentScan.Run(disk, inventory.Segments[i]);
            Flush(scans[i]);
        });

        disk.FlushDirectory(directory.TableDirectory(table.Name));

        // Before anything is moved away: a segment that is written anew no longer has what its bad blocks said.
        var producers = RecoverProducers(table.Name, directory.TableDirectory(table.Name));
        foreach (var scan in scans)
        {
            producers.AddSegment(scan.Files.SegmentId, scan.Entries);
        }

        // Not without need, so that a full disk keeps no server from starting, which alone can make room on it.
        if (producers.FileIsBehind)
        {
            producers.File.Rewrite(producers.Table);
        }
        else
        {
            producers.File.WriteAgain();
        }

        var first = _sealed.Count;
        foreach (var scan in scans)
        {
            Recover(table, scan);
        }

        producers.Complete(_sealed.Skip(first).Select(segment => segment.SegmentId).ToHashSet());
        foreach (var files in _withoutRows)
        {
            files.Delete(disk);
        }

        _withoutRows.Clear();
        disk.FlushDirectory(directory.TableDirectory(table.Name));
    }

    private RecoveredProducers RecoverProducers(string table, string path)
    {
        var producers = new RecoveredProducers(new ProducerFile(disk, path));
        var damaged = producers.ReadFile();
        if (damaged > 0)
        {
            var stem = _quarantine.KeepProducers(table, producers.File.Path);
            LogMessages.ProducersDamaged(logger, producers.File.Path, damaged, stem);
        }

        return _producers[table] = producers;
    }

    // A data file without an index: empty when its creation was cut short.
    private void RecoverOrphan(string table, SegmentFiles files)
    {
        using (var data = disk.Open(files.Data))
        {
            if (data.Length > 0)
            {
                _quarantine.Move(table, files, "it has no index");
                return;
            }
        }

        disk.Delete(files.Data);
    }

    private void ApplyEnd(SegmentFiles files)
    {
        try
        {
            if (SegmentEnd.TryRead(disk, files, out var dataLength, out var indexLength))
            {
                UnsureBytes.WriteAgain(disk, files.End);
                CutFile(files.Data, dataLength);
                CutFile(files.Index, indexLength);
            }
        }
        catch (InvalidDataException e)
        {
            LogMessages.EndDamaged(logger, files.End, e);
        }
    }

    // A process that was killed may have left what it had written and not flushed. It is read here as if it were durable,
    // and producers are told so: it has to be, before anyone relies on it. The last group's flush may have failed.
    private void Flush(SegmentScan scan)
    {
        var (data, index) = scan.LastGroup;
        UnsureBytes.WriteAgain(disk, scan.Files.Data, data, scan.DataEnd);
        UnsureBytes.WriteAgain(disk, scan.Files.Index, index);
    }

    private void Recover(TableSchema table, SegmentScan scan)
    {
        var files = scan.Files;
        if (scan.IsEmpty && scan.Header is null && !IndexHeader.IsTorn(scan.Index))
        {
            _quarantine.Move(table.Name, files, "its index cannot be read");
            return;
        }

        if (scan.HasDescribedTail)
        {
            _quarantine.KeepTail(table.Name, scan);
        }

        if (scan.IsDamaged)
        {
            foreach (var block in scan.Kept.Where(block => block.Fault is not null))
            {
                _quarantine.Keep(table.Name, scan, block);
            }

            var header = scan.Header
                ?? new IndexHeader(directory.Id, files.SegmentId, table.Name, table.BlockFingerprint);
            files = SegmentRewriter.Rewrite(disk, scan, header);
        }
        else if (!scan.IsEmpty)
        {
            CutFile(files.Data, scan.DataEnd);
            CutFile(files.Index, scan.IndexEnd);
        }

        _cutBytes += Math.Max(0, scan.DataLength - scan.DataEnd);
        Seal(table, scan, files);
    }

    private void Seal(TableSchema table, SegmentScan scan, SegmentFiles files)
    {
        using var hash = new SegmentHash();
        long length = 0;
        foreach (var record in scan.Kept.Where(block => block.Fault is null).Select(block => block.Record!))
        {
            hash.Add(record.Length, record.Rows, record.Crc);
            length += record.Length;
        }

        if (scan.IsEmpty)
        {
            files.Delete(disk);
            return;
        }

        if (scan.Rows == 0)
        {
            // Offsets of producers and no rows: nothing to insert, and not needed once the producer file has them.
            _withoutRows.Add(files);
            return;
        }

        var written = scan.Header?.Directory ?? directory.Id;
        if (written != directory.Id)
        {
            LogMessages.ForeignSegment(logger, files.Data, written);
        }

        // Of a version that is not remembered the columns are taken to be those of today.
        var version = scan.Header is { } header ? table.VersionOf(header.Fingerprint.Span) ?? table : table;
        var token = hash.Token(written, table.Name, files.SegmentId);
        _sealed.Add(new SealedSegment(
            version, files.SegmentId, files.Data, length, scan.Rows, token, Recovered: true));
    }

    private void CutFile(string path, long length)
    {
        if (!disk.Exists(path))
        {
            return;
        }

        using var file = disk.Open(path);
        if (file.Length > length)
        {
            file.Truncate(length);
            file.Flush();
        }
    }
}
