using Ingest.V1;

namespace Ingest.Topics;

/// <content>What a subscription reads of the store: updates that memory no longer has, and earlier epochs.</content>
public sealed partial class Subscription
{
    private Gap? _pending;

    /// <summary>
    /// Puts what the store's answer means for a cursor where the reader finds it; the reader's own task calls.
    /// </summary>
    internal void Put(SubscriptionItem item)
    {
        _pending = item.Gap;
        MakeToken();
    }

    private TopicCursor? FindStoreReader()
    {
        if (_pending is not null)
        {
            return null;
        }

        foreach (TopicCursor cursor in _cursors)
        {
            if (cursor.NeedsStore)
            {
                return cursor;
            }
        }

        return null;
    }

    private bool TryReadPending(out SubscriptionItem item)
    {
        item = new SubscriptionItem(_pending!);
        _pending = null;
        Count(item);
        return true;
    }

    private static async ValueTask<bool> ReadStoreAsync(
        Subscription subscription, TopicCursor cursor, CancellationToken cancellationToken)
    {
        await subscription._hub.ReadStoreAsync(cursor, cancellationToken).ConfigureAwait(false);
        return !subscription.IsOver;
    }
}
