namespace Ingest.Topics;

/// <summary>A topic: its ring, and the subscriptions that are woken when it grows.</summary>
internal sealed class Topic
{
    // One entry a cursor; a cursor knows its place, so that it leaves in no time.
    private readonly List<TopicCursor> _cursors = [];
    private readonly Lock _gate = new();
    private long _stored;

    public Topic(string name, PayloadKind kind, string epoch, TopicRing ring, long stored)
    {
        Name = name;
        Kind = kind;
        Epoch = epoch;
        Ring = ring;
        _stored = stored;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>What its payloads are.</summary>
    public PayloadKind Kind { get; }

    /// <summary>Its epoch.</summary>
    public string Epoch { get; }

    /// <summary>Its latest updates.</summary>
    public TopicRing Ring { get; }

    /// <summary>First offset that the store does not have, at least.</summary>
    public long StoredOffset
    {
        get => Volatile.Read(ref _stored);
        set => Volatile.Write(ref _stored, value);
    }

    /// <summary>
    /// When its last update was emitted, in Unix microseconds: no later one is earlier. Its publisher's.
    /// </summary>
    public long LastEmittedMicros { get; set; }

    /// <summary>Whether its epoch is written down, so that updates of it may become durable.</summary>
    public bool IsRemembered { get; set; }

    /// <summary>Subscriptions that follow it.</summary>
    public int SubscriberCount
    {
        get
        {
            lock (_gate)
            {
                return _cursors.Count;
            }
        }
    }

    /// <summary>Wakes a cursor's subscription from now on when the topic grows.</summary>
    public void Join(TopicCursor cursor)
    {
        lock (_gate)
        {
            cursor.Place = _cursors.Count;
            _cursors.Add(cursor);
        }
    }

    /// <summary>The opposite of <see cref="Join"/>.</summary>
    public void Leave(TopicCursor cursor)
    {
        lock (_gate)
        {
            if (cursor.Place < 0)
            {
                return;
            }

            TopicCursor last = _cursors[^1];
            _cursors[cursor.Place] = last;
            last.Place = cursor.Place;
            _cursors.RemoveAt(_cursors.Count - 1);
            cursor.Place = -1;
        }
    }

    /// <summary>
    /// Wakes the subscriptions that wait: one pass, by the publisher's thread. A woken one goes on elsewhere
    /// (<see cref="WokenReaders"/>), so the pass takes some tens of nanoseconds for each.
    /// </summary>
    public void Wake()
    {
        lock (_gate)
        {
            foreach (TopicCursor cursor in _cursors)
            {
                cursor.Owner.Wake();
            }
        }
    }

    /// <summary>As it stands now.</summary>
    public TopicStatus Status()
    {
        long tail = Ring.Tail;
        long head = Ring.Head;
        DateTimeOffset? last = head > tail && Ring.TryGet(head - 1, out TopicUpdate update) ? update.EmittedAt : null;
        return new TopicStatus(
            Name, Epoch, head, Math.Min(tail, head), StoredOffset, Ring.Bytes, SubscriberCount, last);
    }
}
