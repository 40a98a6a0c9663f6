using Ingest.Log;
using Microsoft.Extensions.Logging;

namespace Ingest.Feed;

/// <summary>Who is shown the committed blocks of one table. While there is nobody, a block costs one look.</summary>
/// <remarks>Shown by the lane's thread; listeners come and go on any thread.</remarks>
internal sealed class TableFeed(string table, ILogger logger)
{
    private readonly Lock _gate = new();
    private volatile FeedSubscription[] _subscriptions = [];

    /// <summary>Whether anyone listens.</summary>
    public bool IsHeard => _subscriptions.Length > 0;

    /// <summary>The place before which no listener needs anything after a restart; null when nobody listens.</summary>
    public BlockPlace? NeededFrom
    {
        get
        {
            BlockPlace? needed = null;
            foreach (FeedSubscription subscription in _subscriptions)
            {
                BlockPlace place = subscription.NeededFrom;
                needed = needed is { } least && least <= place ? least : place;
            }

            return needed;
        }
    }

    public void Add(FeedSubscription subscription)
    {
        lock (_gate)
        {
            _subscriptions = [.. _subscriptions, subscription];
        }
    }

    public void Remove(FeedSubscription subscription)
    {
        lock (_gate)
        {
            _subscriptions = [.. _subscriptions.Where(s => s != subscription)];
        }
    }

    /// <summary>Shows a block to all; one that throws is told of and does not keep it from the others.</summary>
    public void Show(CommittedBlock block)
    {
        foreach (FeedSubscription subscription in _subscriptions)
        {
            try
            {
                subscription.Listener.OnCommitted(block);
            }
            catch (Exception e)
            {
                logger.ListenerFailed(table, e);
            }
        }
    }
}
