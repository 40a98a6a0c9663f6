using System.Globalization;
using Ingest.Log;
using Ingest.Schema;
using Polly;

namespace Ingest.Stores.Poison;

/// <summary>
/// Finds the rows for which the store refuses a segment, and brings the others into the store: halves what is refused,
/// by blocks and then by rows, until the bad rows stand alone. They become dead letters.
/// </summary>
/// <remarks>
/// <para>
/// One piece is under way at a time, and what became of the one before is on disk (<see cref="PieceJournal"/>). So after
/// a kill or a power loss the count of the segment's rows in the store says of the one piece that was under way whether
/// it landed: no token need be remembered. In a table with partitions of its own, where a piece may land in part, rows
/// are told by their numbers instead. The order of the pieces follows from the outcomes, breadth first, which gets
/// the large good pieces in early and leaves the smallest when there are too many bad rows.
/// </para>
/// <para>
/// Bounded: so many inserts a segment, fewer while nothing at all lands. What is refused then is set aside as it is.
/// </para>
/// </remarks>
internal sealed class SegmentBisection(
    IStore store, ResiliencePipeline retry, string quarantine, int maxInserts)
{
    // When the fault is not with rows but with the whole (a column that the operator changed), halving finds nothing.
    private const int MaxInsertsInVain = 64;

    /// <summary>Brings the good rows of a refused segment into the store.</summary>
    /// <param name="segment">The segment. The store has none of its rows but those of pieces in the journal.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="journal">What is known of its pieces.</param>
    /// <param name="isResumed">Whether an earlier run may have sent a piece that is not in the journal.</param>
    /// <param name="stop">Ends the work; it can go on later.</param>
    /// <exception cref="IOException">The segment or the journal cannot be read or written.</exception>
    public async Task<BisectionReport> RunAsync(
        SealedSegment segment, SegmentRows rows, PieceJournal journal, bool isResumed, CancellationToken stop)
    {
        var run = new Run(segment, rows, journal) { MayHaveLanded = isResumed, HasTable = !isResumed };
        await HalveAsync(run, stop);
        if (run.Bad.Count > 0 && run.Trouble is null)
        {
            await SendLettersAsync(run, stop);
        }

        var kept = run.Kept.OrderBy(piece => piece.First).ToList();
        string? place = kept.Count > 0
            ? SegmentQuarantine.Keep(segment, rows, kept, run.Trouble ?? journal.Reason, quarantine)
            : null;
        return new BisectionReport(
            run.LandedRows, run.Bad.Count, kept.Sum(piece => piece.Count), place, run.Trouble ?? journal.Reason);
    }

    private async Task HalveAsync(Run run, CancellationToken stop)
    {
        var refused = new Queue<PieceOutcome>();
        refused.Enqueue(new PieceOutcome(run.Rows.All, PieceResult.Refused, run.Journal.Reason));
        while (refused.TryDequeue(out PieceOutcome? piece))
        {
            if (run.Trouble is not null)
            {
                run.Kept.Add(piece.Rows);
                continue;
            }

            if (piece.Rows.Count == 1)
            {
                run.Bad.Add(piece);
                continue;
            }

            // What an earlier run went on to halve is halved now too, whatever the limit was then.
            RowRange[] halves = run.Rows.Split(piece.Rows);
            if (IsSpent(run) && run.Journal.Find(halves[0]) is null)
            {
                run.Kept.Add(piece.Rows);
                continue;
            }

            foreach (RowRange half in halves)
            {
                PieceOutcome outcome = await TryAsync(run, half, stop);
                run.Tried++;
                switch (outcome.Result)
                {
                    case PieceResult.Landed:
                        run.LandedRows += half.Count;
                        break;
                    case PieceResult.Refused:
                        refused.Enqueue(outcome);
                        break;
                    default:
                        run.Kept.Add(half);
                        break;
                }
            }
        }

        if (run.Trouble is not null)
        {
            // Nothing more is sent, so the bad rows stay with the others.
            run.KeepBad();
        }
    }

    private bool IsSpent(Run run) =>
        run.Tried >= maxInserts || (run.LandedRows == 0 && run.Tried >= MaxInsertsInVain);

    private async Task<PieceOutcome> TryAsync(Run run, RowRange rows, CancellationToken stop)
    {
        if (run.Trouble is not null)
        {
            return new PieceOutcome(rows, PieceResult.Unclear);
        }

        if (run.Journal.Find(rows) is { } known)
        {
            return known;
        }

        string token = string.Create(CultureInfo.InvariantCulture, $"{run.Segment.Token}/{rows.First}+{rows.Count}");
        PieceOutcome outcome = await InsertAsync(
            run, run.Segment.Table, token, rows, run.LandedRows, file => run.Rows.Write([rows], file), stop);
        run.MayHaveLanded = false;
        if (outcome.Result != PieceResult.Unclear)
        {
            run.Journal.Add(outcome);
        }

        return outcome;
    }

    private async Task SendLettersAsync(Run run, CancellationToken stop)
    {
        var bad = run.Bad.OrderBy(piece => piece.Rows.First).ToList();
        (run.MayHaveLanded, run.HasTable) = (true, false);
        if (run.Segment.Table.Name != RefusedRows.Table.Name)
        {
            PieceOutcome outcome = await InsertAsync(
                run, RefusedRows.Table, run.Segment.Token + "/" + RefusedRows.Table.Name, new RowRange(0, bad.Count),
                landed: 0, file => RefusedRows.Write(run.Segment, run.Rows, bad, file), stop);
            if (outcome.Result == PieceResult.Landed)
            {
                return;
            }

            run.Trouble ??= outcome.Reason;
        }

        // Letters that the table of letters refuses too.
        run.KeepBad();
    }

    /// <summary>Inserts one piece, however long it takes, and says what became of it.</summary>
    private async Task<PieceOutcome> InsertAsync(
        Run run, TableSchema table, string token, RowRange rows, long landed, Action<Stream> write,
        CancellationToken stop)
    {
        string path = run.Segment.Path + ".piece" + SegmentFiles.TemporaryExtension;
        using (FileStream file = File.Create(path))
        {
            write(file);
        }

        var piece = new SealedSegment(
            table, run.Segment.SegmentId, path, new FileInfo(path).Length, rows.Count, token, Recovered: false);
        try
        {
            return await retry.ExecuteAsync(cancel => TryInsertAsync(run, piece, rows, landed, cancel), stop);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private async ValueTask<PieceOutcome> TryInsertAsync(
        Run run, SealedSegment piece, RowRange rows, long landed, CancellationToken stop)
    {
        try
        {
            if (!run.HasTable)
            {
                await store.EnsureTableAsync(piece.Table, stop);
                run.HasTable = true;
            }

            if (piece.Table.HasSegmentRows)
            {
                // It may land in part, as may an earlier try of it: its rows are told by their numbers.
                await store.InsertMissingAsync(piece, stop);
                return new PieceOutcome(rows, PieceResult.Landed);
            }

            if (run.MayHaveLanded && await LookAsync(run, piece, rows, landed, stop) is { } landedBefore)
            {
                return landedBefore;
            }

            run.MayHaveLanded = true;
            await store.InsertAsync(piece, stop);
            return new PieceOutcome(rows, PieceResult.Landed);
        }
        catch (StoreException e) when (e.Fault == StoreFault.BadData)
        {
            if (piece.Table.HasSegmentRows)
            {
                return new PieceOutcome(rows, PieceResult.Refused, e.Message);
            }

            // A view behind the table may have refused what the table has.
            return await LookAsync(run, piece, rows, landed, stop) ?? new PieceOutcome(rows, PieceResult.Refused, e.Message);
        }
        catch (StoreException)
        {
            // Someone may have dropped the table.
            run.HasTable = false;
            throw;
        }
    }

    /// <summary>Asks the store whether it has the piece; null when it has not.</summary>
    private async ValueTask<PieceOutcome?> LookAsync(
        Run run, SealedSegment piece, RowRange rows, long landed, CancellationToken stop)
    {
        long count = await store.CountRowsAsync(piece.Table, piece.SegmentId, stop);
        if (count == landed)
        {
            return null;
        }

        if (count == landed + piece.Rows)
        {
            return new PieceOutcome(rows, PieceResult.Landed);
        }

        run.Trouble = string.Create(
            CultureInfo.InvariantCulture,
            $"the store has {count} rows of segment {piece.SegmentId} in {piece.Table.Name}; {landed} or "
            + $"{landed + piece.Rows} were expected");
        return new PieceOutcome(rows, PieceResult.Unclear, run.Trouble);
    }

    private sealed class Run(SealedSegment segment, SegmentRows rows, PieceJournal journal)
    {
        public SealedSegment Segment => segment;

        public SegmentRows Rows => rows;

        public PieceJournal Journal => journal;

        /// <summary>Whether the next piece may be in the store already.</summary>
        public bool MayHaveLanded { get; set; }

        /// <summary>Whether the table of the next piece is known to be there.</summary>
        public bool HasTable { get; set; }

        /// <summary>Pieces of which it is known what became of them.</summary>
        public int Tried { get; set; }

        /// <summary>Rows in those that the store has.</summary>
        public long LandedRows { get; set; }

        /// <summary>Rows that were refused alone.</summary>
        public List<PieceOutcome> Bad { get; } = [];

        /// <summary>Pieces that are set aside.</summary>
        public List<RowRange> Kept { get; } = [];

        /// <summary>Why nothing more is sent; null while all goes well.</summary>
        public string? Trouble { get; set; }

        /// <summary>Sets the bad rows aside with the others.</summary>
        public void KeepBad()
        {
            Kept.AddRange(Bad.Select(bad => bad.Rows));
            Bad.Clear();
        }
    }
}
