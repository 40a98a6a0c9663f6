using Ingest.Log;
using Ingest.Stores;
using Ingest.Stores.Poison;
using Microsoft.Extensions.Logging;

namespace Ingest.Topics;

/// <summary>
/// Finds at the start where the topics of a table stand and fills their rings again, from the segments that the log
/// still has and from the store.
/// </summary>
/// <remarks>
/// An epoch goes on only when nothing of it can be missing. The journal says how many rows the publisher had written at
/// some moment and where its topics stood then; the log says how many it has written ever. When as many updates are
/// found behind that moment as rows were written since, none is missing and the last of them is the last there was.
/// </remarks>
internal sealed class TopicRestore(
    StoredUpdates store, TopicOptions options, ILogger logger, TimeProvider time)
{
    private static readonly TimeSpan s_storeTimeout = TimeSpan.FromSeconds(10);

    // Of each topic, by offset: the latest that a ring would hold, and all behind the journal's moment.
    private readonly Dictionary<string, SortedDictionary<long, TopicUpdate>> _found = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _firstInLog = new(StringComparer.Ordinal);
    private bool _isStoreAway;

    /// <summary>Restores the topics of a table.</summary>
    /// <param name="kind">The table's payloads.</param>
    /// <param name="noted">What the journal says of it.</param>
    /// <param name="isClean">Whether it says so of the end of a run.</param>
    /// <param name="opening">What the log knows of the table's publisher.</param>
    /// <param name="segments">Segments of the table that the log still has.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public async Task<IReadOnlyList<Topic>> RunAsync(
        PayloadKind kind, TopicJournal.Table noted, bool isClean, ProducerOpening opening,
        IEnumerable<SealedSegment> segments, CancellationToken cancellationToken)
    {
        _found.Clear();
        _firstInLog.Clear();
        foreach (TopicJournal.Entry entry in noted.Topics)
        {
            _found[entry.Name] = [];
        }

        ReadSegments(noted, segments);
        long written = opening.DurableOffset - noted.Rows;
        bool isForgotten = isClean && !opening.IsKnown;
        if (!isForgotten && written > 0 && CountFound(noted) < written)
        {
            foreach (TopicJournal.Entry entry in noted.Topics)
            {
                await ReadBehindAsync(kind, entry, cancellationToken).ConfigureAwait(false);
            }
        }

        bool isWhole = isForgotten || CountFound(noted) == written;
        if (!isWhole && noted.Topics.Count > 0)
        {
            logger.EpochsEnded(kind.Table, written, CountFound(noted));
        }

        var topics = new List<Topic>();
        foreach (TopicJournal.Entry entry in noted.Topics)
        {
            topics.Add(isWhole
                ? await FillAsync(kind, entry, cancellationToken).ConfigureAwait(false)
                : new Topic(entry.Name, kind, TopicEpoch.Create(time), new TopicRing(options, 0), stored: 0)
                {
                    LastEmittedMicros = entry.LastEmittedMicros,
                });
        }

        _found.Clear();
        return topics;
    }

    private long CountFound(TopicJournal.Table noted) => noted.Topics.Sum(entry => Next(entry) - entry.Next);

    // The end of the run that begins where the journal ends.
    private long Next(TopicJournal.Entry entry)
    {
        SortedDictionary<long, TopicUpdate> found = _found[entry.Name];
        long next = entry.Next;
        while (found.ContainsKey(next))
        {
            next++;
        }

        return next;
    }

    private void ReadSegments(TopicJournal.Table noted, IEnumerable<SealedSegment> segments)
    {
        var epochs = noted.Topics.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
        foreach (SealedSegment segment in segments.OrderBy(segment => segment.SegmentId))
        {
            try
            {
                foreach (TopicUpdate update in RecoveredUpdates.Read(segment))
                {
                    if (epochs.TryGetValue(update.Topic, out TopicJournal.Entry? entry) && entry.Epoch == update.Epoch)
                    {
                        Keep(entry, update);
                        _firstInLog[entry.Name] =
                            Math.Min(update.Offset, _firstInLog.GetValueOrDefault(entry.Name, long.MaxValue));
                    }
                }
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                logger.UpdatesUnreadable(segment.Path, e);
            }
        }
    }

    private void Keep(TopicJournal.Entry entry, TopicUpdate update)
    {
        SortedDictionary<long, TopicUpdate> found = _found[entry.Name];
        found[update.Offset] = update;
        while (found.Count > options.MaxCount && found.Keys.First() is var oldest && oldest < entry.Next)
        {
            found.Remove(oldest);
        }
    }

    private async Task ReadBehindAsync(PayloadKind kind, TopicJournal.Entry entry, CancellationToken cancellationToken)
    {
        while (!_isStoreAway)
        {
            long from = Next(entry);
            List<TopicUpdate> updates = await AskAsync(
                token => store.ReadAsync(kind, entry.Name, entry.Epoch, from, long.MaxValue, token), cancellationToken)
                .ConfigureAwait(false);
            updates.ForEach(update => Keep(entry, update));
            if (updates.Count == 0 || Next(entry) == from)
            {
                return;
            }
        }
    }

    private async Task<Topic> FillAsync(PayloadKind kind, TopicJournal.Entry entry, CancellationToken cancellationToken)
    {
        long next = Next(entry);
        SortedDictionary<long, TopicUpdate> found = _found[entry.Name];

        // What the log has it has not given to the store, as far as is known here.
        long stored = Math.Min(next, _firstInLog.GetValueOrDefault(entry.Name, long.MaxValue));
        long oldest = NowMicros() - (long)options.MaxAge.TotalMicroseconds;
        long first = next;
        long bytes = 0;
        var latest = new List<TopicUpdate>();
        while (first > 0 && latest.Count < options.MaxCount && bytes < options.MaxBytes)
        {
            if (!found.TryGetValue(first - 1, out TopicUpdate? update))
            {
                long to = first;
                List<TopicUpdate> updates = await AskAsync(
                    token => store.ReadBackwardsAsync(kind, entry.Name, entry.Epoch, to, token), cancellationToken)
                    .ConfigureAwait(false);
                if (updates.Count == 0 || updates[0].Offset != first - 1)
                {
                    break;
                }

                updates.ForEach(older => found[older.Offset] = older);
                continue;
            }

            if (update.EmittedAtMicros < oldest && update.Offset < stored)
            {
                break;
            }

            latest.Add(update);
            bytes += update.HeldBytes;
            first--;
        }

        latest.Reverse();
        var ring = new TopicRing(options, first);
        ring.Append([.. latest], stored, NowMicros());
        return new Topic(entry.Name, kind, entry.Epoch, ring, stored)
        {
            LastEmittedMicros = Math.Max(entry.LastEmittedMicros, latest.Count > 0 ? latest[^1].EmittedAtMicros : 0),
            IsRemembered = true,
        };
    }

    // A store that does not answer keeps no server from starting: it is asked once.
    private async Task<List<TopicUpdate>> AskAsync(
        Func<CancellationToken, Task<List<TopicUpdate>>> ask, CancellationToken cancellationToken)
    {
        if (_isStoreAway)
        {
            return [];
        }

        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(s_storeTimeout);
        try
        {
            return await ask(limited.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StoreException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            _isStoreAway = true;
            logger.TopicsNotRefilled(e.Message);
            return [];
        }
    }

    private long NowMicros() => UnixMicros.Of(time.GetUtcNow());
}
