using System.Collections.Concurrent;
using System.Threading.Channels;
using Ingest.Feed;
using Ingest.Schema;
using Microsoft.Extensions.Logging;

namespace Ingest.Log;

/// <summary>The log: a lane for each table, and the segments that wait for the store. What is in it is durable.</summary>
/// <remarks>
/// Below the data directory: `log/TABLE/` with each segment's two files, `quarantine/` with what was found damaged,
/// `directory.uuid`, `segments.mark` and `lock`. Formats stand in docs/log-format.md.
/// </remarks>
public sealed class SegmentLog : IAsyncDisposable
{
    private readonly DataDirectory _directory;
    private readonly SegmentIds _ids;
    private readonly ConcurrentDictionary<string, Lane> _lanes = new(StringComparer.Ordinal);
    private readonly IReadOnlyDictionary<string, RecoveredProducers> _recovered;
    private readonly Lock _gate = new();

    // Descriptors alone; their bytes are on disk, where the limit is. Read by one store.
    private readonly Channel<SealedSegment> _sealed = Channel.CreateUnbounded<SealedSegment>(
        new UnboundedChannelOptions { SingleReader = true });

    private readonly long _openedSeconds;
    private readonly long _openedAt;
    private volatile bool _notDeleted;
    private Task? _stopped;

    private SegmentLog(
        LogOptions options, DataDirectory directory, SegmentIds ids, RecoveryReport report,
        IReadOnlyDictionary<string, RecoveredProducers> recovered, ILogFiles disk, ILogger logger, TimeProvider time)
    {
        Options = options.WithQueue(LogOptions.DefaultQueueBytes);
        Recovery = report;
        _recovered = recovered;
        Disk = disk;
        Logger = logger;
        Time = time;
        _openedSeconds = time.GetUtcNow().ToUnixTimeSeconds();
        _openedAt = time.GetTimestamp();
        _directory = directory;
        _ids = ids;
        Feed = new CommittedFeed(options.MaxKeptBytes, DeleteFiles, logger);
    }

    /// <summary>Sealed segments in the order in which a table's were sealed; those of earlier runs first.</summary>
    public ChannelReader<SealedSegment> Sealed => _sealed.Reader;

    /// <summary>What the log has done and holds.</summary>
    public LogMetrics Metrics { get; } = new();

    /// <summary>Shows the rows that are durable to who listens.</summary>
    public CommittedFeed Feed { get; }

    /// <summary>What was found at start.</summary>
    public RecoveryReport Recovery { get; }

    /// <summary>Tables that the log holds segments of and no schema declares, with the number of their segments.</summary>
    public IReadOnlyDictionary<string, int> UnclaimedTables =>
        Recovery.UnknownTables.Where(table => !_lanes.ContainsKey(table.Key)).ToDictionary();

    /// <summary>
    /// Whether segments that the store has are still there, since the disk refused to delete them or a listener needs them.
    /// </summary>
    internal bool HasUndeletedSegments => _notDeleted || Feed.KeptBytes > 0;

    internal LogOptions Options { get; }

    internal ILogFiles Disk { get; }

    internal ILogger Logger { get; }

    internal TimeProvider Time { get; }

    /// <summary>
    /// Unix seconds by which producers grow idle: the clock's when the log was opened, and the time that has passed since.
    /// A clock that is set while the server runs makes nobody expire.
    /// </summary>
    internal long NowSeconds => _openedSeconds + (long)Time.GetElapsedTime(_openedAt).TotalSeconds;

    /// <summary>
    /// Opens the log of a data directory, which is created if need be: verifies what earlier runs left, seals it, and
    /// makes a lane for each table.
    /// </summary>
    /// <exception cref="DataDirectoryInUseException">Another process has the directory.</exception>
    /// <exception cref="IOException">The directory cannot be read or written.</exception>
    public static Task<SegmentLog> OpenAsync(
        LogOptions options, IReadOnlyCollection<TableSchema> tables, ILogger logger, TimeProvider? time = null,
        CancellationToken cancellationToken = default) =>
        OpenAsync(options, tables, logger, time ?? TimeProvider.System, DiskFiles.Instance, cancellationToken);

    /// <summary>The lane of a table; made when the table is new.</summary>
    public Lane Lane(TableSchema table)
    {
        if (_lanes.TryGetValue(table.Name, out var lane))
        {
            return lane;
        }

        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopped is not null, this);
            if (!_lanes.TryGetValue(table.Name, out lane))
            {
                Disk.CreateDirectory(_directory.TableDirectory(table.Name));
                var producers = _recovered.GetValueOrDefault(table.Name) ?? RecoverKept(table);
                lane = new Lane(this, table, producers);
                lane.Start();
                _lanes[table.Name] = lane;
            }

            return lane;
        }
    }

    /// <summary>
    /// Deletes a segment that the store has, durably, unless a listener of <see cref="Feed"/> needs it. Blocks for a few
    /// disk operations.
    /// </summary>
    public void Release(SealedSegment segment)
    {
        Metrics.OnReleased(segment.Length);
        if (!Feed.TryKeep(segment))
        {
            DeleteFiles(segment);
        }

        if (_lanes.TryGetValue(segment.Table.Name, out var lane))
        {
            lane.OnReleased(segment.SegmentId);
        }
    }

    /// <summary>Has senders that wait for room ask again what they may do.</summary>
    internal void WakeSenders()
    {
        foreach (var lane in _lanes.Values)
        {
            lane.WakeSenders();
        }
    }

    /// <summary>Writes and seals what open batches and segments hold, of every table.</summary>
    public Task SealAsync() => Task.WhenAll(_lanes.Values.Select(lane => lane.SealAsync()));

    /// <summary>
    /// Ends the lanes: what was given back to them is written, the open segments are sealed, then
    /// <see cref="Sealed"/> completes. <see cref="Release"/> goes on working until the log is disposed.
    /// </summary>
    public Task StopAsync()
    {
        lock (_gate)
        {
            return _stopped ??= StopLanesAsync();
        }
    }

    /// <summary>Stops the log and lets go of the data directory.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _ids.Dispose();
        _directory.Dispose();
    }

    internal static Task<SegmentLog> OpenAsync(
        LogOptions options, IReadOnlyCollection<TableSchema> tables, ILogger logger, TimeProvider time, ILogFiles disk,
        CancellationToken cancellationToken) =>
        Task.Run(
            () => Open(
                options, DataDirectory.Open(disk, options.DataDirectory, logger), tables, logger, time, disk,
                cancellationToken),
            cancellationToken);

    /// <summary>As the others, of a directory that was taken before; the log lets go of it, also when it cannot open.</summary>
    internal static Task<SegmentLog> OpenAsync(
        LogOptions options, DataDirectory directory, IReadOnlyCollection<TableSchema> tables, ILogger logger,
        TimeProvider time, CancellationToken cancellationToken) => Task.Run(
            () => Open(options, directory, tables, logger, time, DiskFiles.Instance, cancellationToken),
            CancellationToken.None);

    internal Segment CreateSegment(TableSchema table, SpareFiles spares)
    {
        var header = new IndexHeader(_directory.Id, _ids.Next(), table.Name, table.BlockFingerprint);
        var segment = Segment.Create(Disk, _directory.TableDirectory(table.Name), table, header, spares.Take());
        Metrics.OnOpened();
        return segment;
    }

    /// <summary>Deletes a segment that nobody needs any more; what the disk refuses the next start does.</summary>
    /// <param name="files">Its files.</param>
    /// <param name="keepsData">Whether the data file stays as <see cref="SegmentFiles.Spare"/>, if it may.</param>
    /// <returns>Whether it did.</returns>
    internal bool Delete(SegmentFiles files, bool keepsData = false)
    {
        try
        {
            _ids.BeforeDelete(files.SegmentId);
            return files.Delete(Disk, keepsData);
        }
        catch (Exception e) when (DiskFault.Is(e))
        {
            _notDeleted = true;
            LogMessages.SegmentNotDeleted(Logger, files.Data, e);
            return false;
        }
    }

    /// <summary>Age at which a segment is sealed while so many are open.</summary>
    internal TimeSpan AgeFor(long openSegments)
    {
        var fair = TimeSpan.FromSeconds(openSegments / Options.SegmentsPerSecond);
        return fair < Options.SegmentAge ? Options.SegmentAge
            : fair > Options.MaxSegmentAge ? Options.MaxSegmentAge
            : fair;
    }

    internal void Publish(SealedSegment segment)
    {
        LogMessages.SegmentSealed(Logger, segment.Table.Name, segment.SegmentId, segment.Rows, segment.Length);
        _sealed.Writer.TryWrite(segment);
    }

    private static SegmentLog Open(
        LogOptions options, DataDirectory directory, IReadOnlyCollection<TableSchema> tables, ILogger logger,
        TimeProvider time, ILogFiles disk, CancellationToken cancellationToken)
    {
        SegmentIds? ids = null;
        try
        {
            ids = SegmentIds.Open(disk, directory.MarkPath, time);
            var recovery = new Recovery(disk, directory, tables, logger);
            var report = recovery.Run(ids, cancellationToken);
            var log = new SegmentLog(options, directory, ids, report, recovery.Producers, disk, logger, time);
            log.Feed.Recovered = [.. recovery.Sealed];
            log.Feed.LiveFrom = ids.Highest + 1;
            foreach (var segment in recovery.Sealed)
            {
                log.Metrics.OnSealed(segment.Length);
                log.Publish(segment);
            }

            foreach (var table in tables)
            {
                log.Lane(table);
            }

            return log;
        }
        catch
        {
            ids?.Dispose();
            directory.Dispose();
            throw;
        }
    }

    private void DeleteFiles(SealedSegment segment)
    {
        if (!SegmentFiles.TryParse(segment.Path, out var files))
        {
            return;
        }

        var spares = _lanes.GetValueOrDefault(segment.Table.Name)?.Spares;
        if (spares is null || !spares.Wants(segment))
        {
            Delete(files!);
        }
        else if (Delete(files!, keepsData: true))
        {
            spares.Add(files!.Spare);
        }
        else
        {
            spares.Decline();
        }
    }

    // A table that no schema declared at start may have segments and producers of earlier runs.
    private RecoveredProducers RecoverKept(TableSchema table)
    {
        var recovery = new Recovery(Disk, _directory, [table], Logger);
        var producers = recovery.RunOne(table);
        foreach (var segment in recovery.Sealed)
        {
            Metrics.OnSealed(segment.Length);
            Publish(segment);
        }

        return producers;
    }

    private async Task StopLanesAsync()
    {
        await Task.WhenAll(_lanes.Values.Select(lane => lane.StopAsync())).ConfigureAwait(false);
        _sealed.Writer.TryComplete();
    }
}
