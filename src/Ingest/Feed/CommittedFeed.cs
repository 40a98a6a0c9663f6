using System.Collections.Concurrent;
using Ingest.Log;
using Ingest.Schema;
using Microsoft.Extensions.Logging;

namespace Ingest.Feed;

/// <summary>
/// The log's rows on their way out: every block that is durable, shown to who listens to its table, in the order of the
/// log. Segments that the store has stay in the log, up to a limit, while a listener would need them after a restart.
/// </summary>
/// <remarks>Thread-safe. What is shown was flushed before; what fails to be flushed is never shown.</remarks>
public sealed class CommittedFeed
{
    private readonly ConcurrentDictionary<string, TableFeed> _tables = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly LinkedList<SealedSegment> _kept = new(); // Of all tables, the oldest first.
    private readonly Action<SealedSegment> _delete;
    private readonly ILogger _logger;
    private readonly long _maxKeptBytes;
    private long _keptBytes;
    private bool _settled = true;

    /// <summary>Makes a feed.</summary>
    /// <param name="maxKeptBytes">Bytes of segments that are kept for listeners; 0 keeps none.</param>
    /// <param name="delete">Deletes a segment that was kept.</param>
    /// <param name="logger">Where listeners' faults are told.</param>
    internal CommittedFeed(long maxKeptBytes, Action<SealedSegment> delete, ILogger logger)
    {
        _maxKeptBytes = maxKeptBytes;
        _delete = delete;
        _logger = logger;
    }

    /// <summary>Bytes of segments that the store has and that are kept for listeners.</summary>
    public long KeptBytes => Volatile.Read(ref _keptBytes);

    /// <summary>What earlier runs left in the log, the oldest first; a segment's file may be gone by now.</summary>
    public IReadOnlyList<SealedSegment> Recovered { get; internal set; } = [];

    /// <summary>Segments of this run have ids from here on; those of earlier runs lie before.</summary>
    public ulong LiveFrom { get; internal set; }

    /// <summary>Begins to show a table's blocks to a listener: every one that is committed from here on.</summary>
    /// <param name="table">Name of the table; it need not be there yet.</param>
    /// <param name="listener">Who is shown the blocks.</param>
    /// <param name="neededFrom">Where it would go on after a restart.</param>
    public FeedSubscription Listen(string table, IBlockListener listener, BlockPlace neededFrom)
    {
        TableFeed feed = Of(table);
        var subscription = new FeedSubscription(this, feed, listener, neededFrom);
        feed.Add(subscription);
        return subscription;
    }

    /// <summary>Keeps everything, up to the limit, until <see cref="Settle"/>: those who need it are still to come.</summary>
    internal void Hold()
    {
        lock (_gate)
        {
            _settled = false;
        }
    }

    /// <summary>
    /// Says that all who need what earlier runs left listen now, if the pipeline was opened to wait for them.
    /// </summary>
    public void Settle()
    {
        lock (_gate)
        {
            _settled = true;
        }

        LetGo();
    }

    internal TableFeed Of(string table) =>
        _tables.GetOrAdd(table, static (name, logger) => new TableFeed(name, logger), _logger);

    /// <summary>Whether a segment that the store has is kept; if not, the caller deletes it.</summary>
    internal bool TryKeep(SealedSegment segment)
    {
        lock (_gate)
        {
            if (_maxKeptBytes == 0 || !IsNeeded(segment))
            {
                return false;
            }

            _kept.AddLast(segment);
            _keptBytes += segment.Length;
        }

        LetGo();
        return true;
    }

    /// <summary>Deletes what nobody needs any more, and the oldest of what is over the limit.</summary>
    internal void LetGo()
    {
        var gone = new List<SealedSegment>();
        lock (_gate)
        {
            for (LinkedListNode<SealedSegment>? node = _kept.First, next; node is not null; node = next)
            {
                next = node.Next;
                if (_keptBytes > _maxKeptBytes || !IsNeeded(node.Value))
                {
                    _keptBytes -= node.Value.Length;
                    _kept.Remove(node);
                    gone.Add(node.Value);
                }
            }
        }

        foreach (SealedSegment segment in gone)
        {
            _delete(segment);
        }
    }

    private bool IsNeeded(SealedSegment segment) =>
        !_settled || Of(segment.Table.Name).NeededFrom < new BlockPlace(segment.SegmentId, segment.Rows);
}
