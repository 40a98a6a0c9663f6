using Ingest.Log;
using Microsoft.Extensions.Logging;
using Polly;

namespace Ingest.Stores.Poison;

/// <summary>What is done with a table's segments that the store refuses for their data.</summary>
internal sealed class RefusedSegments(
    IStore store, ResiliencePipeline retry, string quarantine, StoreOptions options, StoreBacklog backlog,
    ILogger logger)
{
    private readonly SegmentBisection _bisection = new(store, retry, quarantine, options.MaxBisectionInserts);

    /// <summary>Goes on with a segment that an earlier run was taking apart; false when none was.</summary>
    /// <exception cref="IOException">It cannot be read; it can be tried again.</exception>
    public async Task<bool> TryResumeAsync(SealedSegment segment, CancellationToken stop)
    {
        try
        {
            using PieceJournal? journal = PieceJournal.Open(segment);
            if (journal is not null)
            {
                await BisectAsync(segment, SegmentRows.Read(segment), journal, isResumed: true, stop);
            }

            return journal is not null;
        }
        catch (InvalidDataException e)
        {
            SetAside(segment, e.Message);
            return true;
        }
    }

    /// <summary>Brings what it can of a segment into the store that was just refused.</summary>
    /// <exception cref="IOException">It cannot be read or moved; it can be tried again.</exception>
    public async Task HandleAsync(SealedSegment segment, string reason, CancellationToken stop)
    {
        // A view behind the table may have refused what the table has; a count that is neither was said before.
        long stored = await retry.ExecuteAsync(
            async cancel => await store.CountRowsAsync(segment.Table, segment.SegmentId, cancel), stop);
        if (stored == segment.Rows)
        {
            backlog.CountStored(segment, inserted: true);
            return;
        }

        if (stored > 0 && !segment.Table.HasSegmentRows)
        {
            SetAside(segment, reason);
            return;
        }

        try
        {
            SegmentRows rows = SegmentRows.Read(segment);
            rows.Check();
            logger.SegmentRefused(segment.Table.Name, segment.SegmentId, segment.Rows, reason);
            using PieceJournal journal = PieceJournal.Begin(segment, reason);
            await BisectAsync(segment, rows, journal, isResumed: false, stop);
        }
        catch (InvalidDataException e)
        {
            SetAside(segment, $"{e.Message}; {reason}");
        }
    }

    private async Task BisectAsync(
        SealedSegment segment, SegmentRows rows, PieceJournal journal, bool isResumed, CancellationToken stop)
    {
        BisectionReport report = await _bisection.RunAsync(segment, rows, journal, isResumed, stop);
        backlog.CountBisected(segment, report);
        logger.SegmentBisected(segment.Table.Name, segment.SegmentId, report.StoredRows, report.DeadLetters);
        if (report.Place is { } place)
        {
            logger.RowsQuarantined(
                segment.Table.Name, segment.SegmentId, report.QuarantinedRows, place, report.Reason);
        }
    }

    private void SetAside(SealedSegment segment, string reason)
    {
        string place = SegmentQuarantine.Move(segment, quarantine, reason);
        backlog.CountQuarantined(segment);
        logger.SegmentQuarantined(segment.Table.Name, segment.SegmentId, segment.Rows, place, reason);
    }
}
