using System.Diagnostics.CodeAnalysis;
using Ingest.V1;

namespace Ingest.Topics;

/// <summary>
/// A subscriber's cursors over its topics. It is used by one reader at a time, and has to be disposed.
/// </summary>
/// <remarks>
/// The loop of a reader: <see cref="TryRead"/> until it is false, then <see cref="WaitToReadAsync"/>. Reading takes no
/// lock; what wakes it is in Subscription.Waiting.cs, what it reads of the store in Subscription.Store.cs.
/// </remarks>
public sealed partial class Subscription : IDisposable
{
    private readonly TopicHub _hub;
    private readonly TopicOptions _limits;
    private TopicCursor[] _cursors = [];
    private ResumeToken _token = new([]);
    private List<TopicCursor>? _arrivals;
    private int _turn;
    private long _delivered;
    private long _dropped;
    private long _gaps;
    private int _end;

    internal Subscription(TopicHub hub, SubscriptionRequest request, TopicOptions limits, DateTimeOffset since)
    {
        _hub = hub;
        _limits = limits;
        Request = request;
        Since = since;
    }

    /// <summary>Where it really started, topic by topic; topics that come later are not in it.</summary>
    public IReadOnlyList<TopicPosition> Positions { get; private set; } = [];

    /// <summary>Why it has ended.</summary>
    public SubscriptionEnd End => (SubscriptionEnd)Volatile.Read(ref _end);

    /// <summary>The place after the last item that was read, as text; valid until the next read.</summary>
    public ReadOnlySpan<byte> ResumeToken => _token.Text;

    internal SubscriptionRequest Request { get; }

    internal OverflowPolicy Policy => Request.Policy;

    internal int MaxLagMessages => _limits.MaxLagMessages;

    internal int RingCount => _limits.MaxCount;

    internal DateTimeOffset Since { get; }

    internal IReadOnlyList<TopicCursor> Cursors => Volatile.Read(ref _cursors);

    /// <summary>Reads the next item without waiting; allocates nothing for an update.</summary>
    /// <returns>False when there is none now, or none without waiting, or the subscription has ended.</returns>
    public bool TryRead(out SubscriptionItem item)
    {
        if (Volatile.Read(ref _arrivals) is not null)
        {
            TakeArrivals();
        }

        if (End is SubscriptionEnd.TooSlow or SubscriptionEnd.Disposed)
        {
            item = default;
            return false;
        }

        if (_pending is not null)
        {
            return TryReadPending(out item);
        }

        TopicCursor[] cursors = _cursors;
        for (int i = 0; i < cursors.Length; i++)
        {
            int turn = _turn;
            _turn = turn + 1 < cursors.Length ? turn + 1 : 0;
            TopicCursor cursor = cursors[turn];
            long before = cursor.Position;
            bool isRead = cursor.TryRead(out item);
            if (cursor.Position != before)
            {
                _token.Set(turn, cursor.Position);
            }

            if (isRead)
            {
                Count(item);
                return true;
            }
        }

        item = default;
        return false;
    }

    /// <summary>Moves the place that is kept under the subscription's name; nothing without a name.</summary>
    /// <param name="resumeToken">The token after the last item that was handled.</param>
    /// <exception cref="TopicException">The token is none of this server's.</exception>
    public void Ack(string resumeToken) => _hub.KeepPlace(Request.Options.Name, resumeToken, "ack.resume_token");

    /// <summary>Lets it go; a reader that waits is told that it has ended.</summary>
    public void Dispose()
    {
        EndAs(SubscriptionEnd.Disposed);
        _hub.Remove(this);
    }

    /// <summary>Ends it, unless it has ended.</summary>
    internal void EndAs(SubscriptionEnd end)
    {
        if (Interlocked.CompareExchange(ref _end, (int)end, (int)SubscriptionEnd.None) is var before
            && (before == (int)SubscriptionEnd.None || end == SubscriptionEnd.Disposed))
        {
            Volatile.Write(ref _end, (int)end);
            if (end == SubscriptionEnd.TooSlow)
            {
                _hub.OnTooSlow(this);
            }

            Wake();
        }
    }

    /// <summary>Begins with these cursors.</summary>
    internal void Begin(IReadOnlyList<TopicCursor> cursors, IReadOnlyList<TopicPosition> positions)
    {
        _cursors = [.. cursors];
        Positions = positions;
        MakeToken();
    }

    /// <summary>
    /// Adds a cursor over a topic that has come into being; by the hub's thread, the reader takes it up.
    /// </summary>
    internal void Add(TopicCursor cursor)
    {
        List<TopicCursor>? before;
        List<TopicCursor> after;
        do
        {
            before = Volatile.Read(ref _arrivals);
            after = before is null ? [cursor] : [.. before, cursor];
        }
        while (Interlocked.CompareExchange(ref _arrivals, after, before) != before);
        Wake();
    }

    /// <summary>All its cursors, those included that the reader has not taken up.</summary>
    internal IEnumerable<TopicCursor> AllCursors() => [.. Cursors, .. Volatile.Read(ref _arrivals) ?? []];

    internal SubscriptionStatus Status()
    {
        long lag = 0;
        TimeSpan lagTime = TimeSpan.Zero;
        foreach (TopicCursor cursor in Cursors)
        {
            TopicRing ring = cursor.Topic.Ring;
            long position = Math.Max(cursor.IsEarlier ? 0 : cursor.Position, 0);
            long head = ring.Head;
            lag += Math.Max(0, head - position);
            if (position < head && ring.TryGet(Math.Max(position, ring.Tail), out TopicUpdate next)
                && ring.TryGet(head - 1, out TopicUpdate newest))
            {
                TimeSpan behind = newest.EmittedAt - next.EmittedAt;
                lagTime = behind > lagTime ? behind : lagTime;
            }
        }

        SubscriptionOptions options = Request.Options;
        return new SubscriptionStatus(
            options.Name, options.Transport, options.Remote, options.Topics, Policy, lag, lagTime,
            Interlocked.Read(ref _delivered), Interlocked.Read(ref _dropped), Interlocked.Read(ref _gaps), Since);
    }

    private void Count(in SubscriptionItem item)
    {
        // One writer: no interlocked addition is needed for others to read it.
        if (item.Gap is not { } gap)
        {
            Volatile.Write(ref _delivered, _delivered + 1);
            return;
        }

        Volatile.Write(ref _dropped, _dropped + gap.DroppedCount);
        Volatile.Write(ref _gaps, _gaps + 1);
        _hub.OnGap(gap);
    }

    private void TakeArrivals()
    {
        // First in the one place, then out of the other: whoever ends the subscription finds every cursor.
        TopicCursor[] before = _cursors;
        List<TopicCursor> arrivals;
        do
        {
            arrivals = Volatile.Read(ref _arrivals)!;
            Volatile.Write(ref _cursors, [.. before, .. arrivals]);
        }
        while (Interlocked.CompareExchange(ref _arrivals, null, arrivals) != arrivals);
        MakeToken();
    }

    [MemberNotNull(nameof(_token))]
    private void MakeToken() => _token = new ResumeToken(
        [.. _cursors.Select(cursor => new TopicPlace(cursor.Topic.Name, cursor.Epoch, cursor.Position))]);
}
