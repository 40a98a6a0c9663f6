namespace Ingest.Feed;

/// <summary>A listener's place in the feed of a table. To be disposed when it listens no more.</summary>
public sealed class FeedSubscription : IDisposable
{
    private readonly CommittedFeed _feed;
    private readonly TableFeed _table;
    private readonly Lock _gate = new();
    private BlockPlace _neededFrom;

    internal FeedSubscription(CommittedFeed feed, TableFeed table, IBlockListener listener, BlockPlace neededFrom)
    {
        _feed = feed;
        _table = table;
        Listener = listener;
        _neededFrom = neededFrom;
    }

    internal IBlockListener Listener { get; }

    /// <summary>Where the listener goes on after a restart: what lies before it may be deleted.</summary>
    public BlockPlace NeededFrom
    {
        get
        {
            lock (_gate)
            {
                return _neededFrom;
            }
        }
    }

    /// <summary>
    /// Says where the listener would go on after a restart, now that it has saved as much durably. Segments that it no
    /// longer needs are deleted, so this may wait for the disk.
    /// </summary>
    public void Advance(BlockPlace neededFrom)
    {
        lock (_gate)
        {
            _neededFrom = neededFrom;
        }

        _feed.LetGo();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _table.Remove(this);
        _feed.LetGo();
    }
}
