using Ingest.Stores;
using Microsoft.Extensions.Logging;

namespace Ingest.Topics;

/// <summary>Reads of the store what a ring no longer has, and waits for the store to have it.</summary>
/// <remarks>The reader's own task waits; nothing is shared between readers but the store's query threads.</remarks>
internal sealed class OlderUpdates(StoredUpdates store, TopicOptions options, ILogger logger, TimeProvider time)
{
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>Reads a run of a topic's offsets in its epoch.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="publisher">Its publisher, which knows how far the store is.</param>
    /// <param name="from">First offset; below the ring.</param>
    /// <param name="to">Offset behind the last that is wanted.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The run that begins at <paramref name="from"/>; at least one offset.</returns>
    public async ValueTask<OlderPage> ReadAsync(
        Topic topic, TopicPublisher publisher, long from, long to, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        while (true)
        {
            // Asked for before the store is, so that what comes meanwhile is not waited for.
            long stored = topic.StoredOffset;
            Task storedMore = publisher.WhenStoredMoreAsync();
            TimeSpan left = options.StoreWait - time.GetElapsedTime(started);
            try
            {
                List<TopicUpdate> updates = await store.ReadAsync(
                    topic.Kind, topic.Name, topic.Epoch, from, to, cancellationToken).ConfigureAwait(false);
                if (updates.Count > 0 && updates[0].Offset == from)
                {
                    KeepRun(updates);
                    return new OlderPage(updates, updates[^1].Offset + 1);
                }

                long end = updates.Count > 0 ? updates[0].Offset : to;
                if (from < stored || left <= TimeSpan.Zero)
                {
                    return new OlderPage(null, left > TimeSpan.Zero ? Math.Min(end, stored) : end);
                }

                _ = publisher.Table.Lane.SealAsync();
                await WaitAsync(storedMore, left, cancellationToken).ConfigureAwait(false);
            }
            catch (StoreException e) when (e.Fault == StoreFault.Unavailable && left > TimeSpan.Zero)
            {
                await Task.Delay(s_retryDelay, time, cancellationToken).ConfigureAwait(false);
            }
            catch (StoreException e)
            {
                logger.OlderUpdatesUnread(topic.Name, from, to, e.Message);
                return new OlderPage(null, to);
            }
        }
    }

    /// <summary>
    /// The first offset of a topic in its epoch, below the ring, that was emitted at or after a time; the ring's first
    /// one when all of those are earlier.
    /// </summary>
    /// <param name="topic">The topic.</param>
    /// <param name="publisher">Its publisher, which knows how far the store is.</param>
    /// <param name="tail">First offset of the ring.</param>
    /// <param name="micros">The time, Unix microseconds; the least number for the first offset that there is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The offset; null when the store does not say it in time.</returns>
    public async ValueTask<long?> FindAsync(
        Topic topic, TopicPublisher publisher, long tail, long micros, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        while (true)
        {
            long stored = topic.StoredOffset;
            Task storedMore = publisher.WhenStoredMoreAsync();
            try
            {
                long? found = await store.FindAsync(topic.Kind, topic.Name, topic.Epoch, micros, cancellationToken)
                    .ConfigureAwait(false);

                // The store gets a topic from its beginning on: only behind what it surely has, there may be others.
                if (found < stored || stored >= tail)
                {
                    return Math.Min(found ?? tail, tail);
                }

                // All that the store is still to get is wanted, and whoever reads it waits for it.
                if (micros == long.MinValue)
                {
                    return stored;
                }
            }
            catch (StoreException)
            {
                return null;
            }

            TimeSpan left = options.StoreWait - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
            {
                return null;
            }

            _ = publisher.Table.Lane.SealAsync();
            await WaitAsync(storedMore, left, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads a run of the offsets of an epoch that a topic had before.</summary>
    /// <returns>The run; none of the store has no more.</returns>
    public async ValueTask<IReadOnlyList<TopicUpdate>> ReadEarlierAsync(
        Topic topic, string epoch, long from, CancellationToken cancellationToken)
    {
        try
        {
            List<TopicUpdate> updates = await store.ReadAsync(
                topic.Kind, topic.Name, epoch, from, long.MaxValue, cancellationToken).ConfigureAwait(false);
            KeepRun(updates);
            return updates;
        }
        catch (StoreException e)
        {
            logger.OlderUpdatesUnread(topic.Name, from, long.MaxValue, e.Message);
            return [];
        }
    }

    private async Task WaitAsync(Task storedMore, TimeSpan longest, CancellationToken cancellationToken)
    {
        try
        {
            await storedMore.WaitAsync(longest, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The store is looked into once more, and then there is a gap.
        }
    }

    private static void KeepRun(List<TopicUpdate> updates)
    {
        int count = 0;
        while (count < updates.Count && updates[count].Offset == updates[0].Offset + count)
        {
            count++;
        }

        updates.RemoveRange(count, updates.Count - count);
    }
}
