using Ingest.V1;

namespace Ingest.Topics;

/// <content>What a cursor is given of the store; on its reader's task.</content>
public sealed partial class TopicHub
{
    /// <summary>Brings a cursor that needs the store to a place where it can go on.</summary>
    internal async ValueTask ReadStoreAsync(TopicCursor cursor, CancellationToken cancellationToken)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopped.Token);
        try
        {
            await ReadStoreCoreAsync(cursor, limited.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The server stops; the subscription has ended.
        }
    }

    private async ValueTask ReadStoreCoreAsync(TopicCursor cursor, CancellationToken cancellationToken)
    {
        if (cursor.IsEarlier)
        {
            await ReadEarlierAsync(cursor, cancellationToken).ConfigureAwait(false);
            return;
        }

        long from = cursor.Position;
        long tail = cursor.Topic.Ring.Tail;
        if (cursor.IsLive)
        {
            long count = await CountWantedAsync(cursor, from, tail, cancellationToken).ConfigureAwait(false);
            cursor.Owner.Put(cursor.Skip(tail, count, GapReason.Expired));
            return;
        }

        OlderPage page = from < tail
            ? await PageAsync(cursor.Topic, from, tail, cancellationToken).ConfigureAwait(false)
            : new OlderPage([], from);
        if (page.Updates is { } updates)
        {
            cursor.TakePage(updates, page.End);
        }
        else
        {
            // Of what cannot be read nobody can say which updates would have been wanted; all of them is the most.
            cursor.Owner.Put(cursor.Skip(page.End, page.End - from, GapReason.Expired));
        }
    }

    private async ValueTask ReadEarlierAsync(TopicCursor cursor, CancellationToken cancellationToken)
    {
        IReadOnlyList<TopicUpdate> updates = await _older.ReadEarlierAsync(
            cursor.Topic, cursor.Epoch, cursor.Position, cancellationToken).ConfigureAwait(false);
        if (updates.Count == 0)
        {
            cursor.Owner.Put(cursor.EnterEpoch());
        }
        else if (updates[0].Offset > cursor.Position)
        {
            long missing = updates[0].Offset - cursor.Position;
            cursor.Owner.Put(cursor.Skip(updates[0].Offset, missing, GapReason.Expired));
        }
        else
        {
            cursor.TakePage(updates, updates[^1].Offset + 1);
        }
    }

    // Those that cannot be read count: it is the most that was missed.
    private async ValueTask<long> CountWantedAsync(
        TopicCursor cursor, long from, long to, CancellationToken cancellationToken)
    {
        long count = 0;
        while (from < to)
        {
            OlderPage page = await PageAsync(cursor.Topic, from, to, cancellationToken).ConfigureAwait(false);
            count += page.Updates?.Count(cursor.Selection.Wants) ?? page.End - from;
            from = page.End;
        }

        return count;
    }

    private ValueTask<OlderPage> PageAsync(Topic topic, long from, long to, CancellationToken cancellationToken) =>
        _older.ReadAsync(topic, _publishers[topic.Kind], from, to, cancellationToken);
}
