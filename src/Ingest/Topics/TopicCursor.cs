using Ingest.V1;

namespace Ingest.Topics;

/// <summary>A subscription's place in one topic: what a subscriber costs, instead of a queue.</summary>
/// <remarks>
/// Hot. The reader's thread alone moves it; others look at <see cref="Position"/>. Reading takes no lock and allocates
/// nothing but for a gap. Watched by TopicBenchmarks.
/// </remarks>
internal sealed class TopicCursor
{
    // So many updates have to wait before the older ones of a key are left out.
    private const int ConflateAbove = 16;

    private readonly UpdateSelection _selection;
    private readonly int _limit;
    private readonly long _liveBelow;
    private readonly long _catchUpTo;
    private IReadOnlyList<TopicUpdate>? _page;
    private int _pageAt;
    private long _pageEnd;
    private long _position;
    private long _horizon;
    private bool _isSnapshot;
    private bool _isLive;

    /// <summary>Makes one.</summary>
    /// <param name="owner">The subscription.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="epoch">Epoch of the place: the topic's, or one before it.</param>
    /// <param name="position">The first offset that it reads.</param>
    /// <param name="selection">Which updates it wants.</param>
    public TopicCursor(Subscription owner, Topic topic, string epoch, long position, UpdateSelection selection)
    {
        Owner = owner;
        Topic = topic;
        Epoch = epoch;
        _position = position;
        _selection = selection;
        bool isConflated = owner.Policy == OverflowPolicy.Conflate;
        _limit = Math.Min(isConflated ? ConflateAbove : owner.MaxLagMessages, owner.RingCount);
        _catchUpTo = isConflated ? topic.Ring.Head : long.MaxValue;

        // Well within what memory holds: one that has just begun is not taken for slow since the oldest updates go.
        _liveBelow = Math.Min(_limit, owner.RingCount / 2);
        _isLive = !IsEarlier && IsCaughtUp(topic.Ring.Head - position, topic.Ring.Tail);
    }

    public Subscription Owner { get; }

    public Topic Topic { get; }

    /// <summary>Place among the topic's cursors; the topic's.</summary>
    public int Place { get; set; } = -1;

    /// <summary>Epoch of <see cref="Position"/>.</summary>
    public string Epoch { get; private set; }

    /// <summary>The next offset that it reads.</summary>
    public long Position
    {
        get => Volatile.Read(ref _position);
        private set => Volatile.Write(ref _position, value);
    }

    /// <summary>Which updates it wants.</summary>
    public UpdateSelection Selection => _selection;

    /// <summary>
    /// Whether it has come to the head once: what happens when it is slow is for such alone. Before, it catches up, and
    /// what memory no longer has it is given from the store.
    /// </summary>
    public bool IsLive => _isLive;

    /// <summary>Whether it cannot go on without the store.</summary>
    public bool NeedsStore { get; private set; }

    /// <summary>Whether there may be something to read.</summary>
    public bool HasMore => NeedsStore || _page is not null || _position < Topic.Ring.Head || IsEarlier;

    /// <summary>Whether it is in an epoch before the topic's.</summary>
    public bool IsEarlier => !ReferenceEquals(Epoch, Topic.Epoch) && Epoch != Topic.Epoch;

    /// <summary>
    /// Reads from here to the head only what is the last of its key now, and says no gap for the others.
    /// </summary>
    public void BeginSnapshot()
    {
        _horizon = Topic.Ring.Head;
        _isSnapshot = true;
    }

    /// <summary>Reads the next item; false when there is none, or it needs the store, or its owner has ended.</summary>
    public bool TryRead(out SubscriptionItem item)
    {
        TopicRing ring = Topic.Ring;
        while (true)
        {
            if (_page is not null && TryReadPage(out item))
            {
                return true;
            }

            if (IsEarlier)
            {
                return AwaitStore(out item);
            }

            long head = ring.Head;
            long tail = ring.Tail;
            long lag = head - _position;
            if (lag <= 0)
            {
                _isLive = true;
                item = default;
                return false;
            }

            _isLive |= IsCaughtUp(lag, tail);
            if (_isLive && Owner.Policy == OverflowPolicy.Disconnect && (lag > _limit || _position < tail))
            {
                Owner.EndAs(SubscriptionEnd.TooSlow);
                item = default;
                return false;
            }

            if (_position < tail)
            {
                if (!_isLive || !_selection.IsAll)
                {
                    return AwaitStore(out item);
                }

                item = Skip(tail, tail - _position, GapReason.Expired);
                return true;
            }

            if (_isLive && lag > _limit && TryOverflow(head, out item))
            {
                return true;
            }

            if (TryScan(ring, head, out item))
            {
                return true;
            }
        }
    }

    /// <summary>Takes what the store had from the position on.</summary>
    /// <param name="updates">Updates in order.</param>
    /// <param name="end">Where reading goes on behind them.</param>
    public void TakePage(IReadOnlyList<TopicUpdate> updates, long end)
    {
        NeedsStore = false;
        (_page, _pageAt, _pageEnd) = (updates, 0, end);
    }

    /// <summary>Leaves updates out, and says so unless none of them was wanted.</summary>
    /// <param name="to">Offset behind the last of them.</param>
    /// <param name="count">How many of them the subscription would have got.</param>
    /// <param name="reason">Why.</param>
    public SubscriptionItem Skip(long to, long count, GapReason reason)
    {
        long from = _position;
        NeedsStore = false;
        Position = to;
        return count == 0 ? default : new SubscriptionItem(new Gap
        {
            Topic = Topic.Name, FromEpoch = Epoch, FromOffset = from, ToEpoch = Epoch, ToOffset = to,
            DroppedCount = count, Reason = reason,
        });
    }

    /// <summary>Goes over to the topic's epoch, since the one before it has no more.</summary>
    public SubscriptionItem EnterEpoch()
    {
        var gap = new Gap
        {
            Topic = Topic.Name, FromEpoch = Epoch, FromOffset = _position, ToEpoch = Topic.Epoch,
            Reason = GapReason.Epoch,
        };
        NeedsStore = false;
        Epoch = Topic.Epoch;
        Position = 0;
        return new SubscriptionItem(gap);
    }

    // One that conflates asked for what there was when it began, and has it; any other is let come to the head.
    private bool IsCaughtUp(long lag, long tail) =>
        _position >= tail && (lag <= _liveBelow || _position >= _catchUpTo);

    private bool AwaitStore(out SubscriptionItem item)
    {
        NeedsStore = true;
        item = default;
        return false;
    }

    private bool TryReadPage(out SubscriptionItem item)
    {
        while (_pageAt < _page!.Count)
        {
            TopicUpdate update = _page[_pageAt++];
            Position = update.Offset + 1;
            if (_selection.Wants(update))
            {
                item = new SubscriptionItem(update);
                return true;
            }
        }

        Position = _pageEnd;
        _page = null;
        item = default;
        return false;
    }

    // A subscriber that waits for nothing of this goes on reading.
    private bool TryOverflow(long head, out SubscriptionItem item)
    {
        switch (Owner.Policy)
        {
            case OverflowPolicy.DropOldest:
                // Not to the limit itself, or the next update would drop again.
                long target = head - _limit + (_limit / 8);
                item = Skip(CountWanted(target, out long count), count, GapReason.Dropped);
                return count > 0;
            case OverflowPolicy.Conflate when _position >= _horizon:
                (_horizon, _isSnapshot) = (head, false);
                break;
        }

        item = default;
        return false;
    }

    // Up to an update that is evicted this moment, at most.
    private long CountWanted(long target, out long count)
    {
        if (_selection.IsAll)
        {
            count = target - _position;
            return target;
        }

        count = 0;
        long offset = _position;
        while (offset < target && Topic.Ring.TryGet(offset, out TopicUpdate update))
        {
            count += _selection.Wants(update) ? 1 : 0;
            offset++;
        }

        return offset;
    }

    // False when nothing more was there, or the next one has been evicted this moment: the caller looks again.
    private bool TryScan(TopicRing ring, long head, out SubscriptionItem item)
    {
        long offset = _position;
        long left = 0;
        for (; offset < head && ring.TryGet(offset, out TopicUpdate update); offset++)
        {
            if (!_selection.Wants(update))
            {
                continue;
            }

            if (offset < _horizon && !IsLastOfKey(ring, update))
            {
                left += _isSnapshot ? 0 : 1;
                continue;
            }

            if (left == 0)
            {
                Position = offset + 1;
                item = new SubscriptionItem(update);
                return true;
            }

            break;
        }

        if (left > 0)
        {
            item = Skip(offset, left, GapReason.Conflated);
            return true;
        }

        Position = offset;
        item = default;
        return false;
    }

    private bool IsLastOfKey(TopicRing ring, TopicUpdate update)
    {
        long next = update.NextOfKey;
        while (next > 0 && next < _horizon && ring.TryGet(next, out TopicUpdate later))
        {
            if (_selection.Wants(later))
            {
                return false;
            }

            next = later.NextOfKey;
        }

        return true;
    }
}
