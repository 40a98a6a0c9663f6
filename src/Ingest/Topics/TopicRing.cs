using System.Runtime.CompilerServices;

namespace Ingest.Topics;

/// <summary>
/// The latest updates of a topic, at their offsets: what cursors read. Bounded by count, bytes and age.
/// </summary>
/// <remarks>
/// Hot. One writer at a time under the lock (the publisher that appends, the sweep that takes out what is old); cursors
/// read without any lock and allocate nothing. An update knows its offset, so a cursor that finds another one in a
/// slot, or none, knows that its own was evicted. The order of writes makes it so: slots before head on the way in,
/// tail before slots on the way out. Watched by TopicBenchmarks.
/// </remarks>
internal sealed class TopicRing
{
    private const int SlotsAtFirst = 64;

    private readonly TopicOptions _options;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, TopicUpdate> _lastOfKey = new(StringComparer.Ordinal);
    private TopicUpdate?[] _slots = new TopicUpdate?[SlotsAtFirst];
    private long _head;
    private long _tail;
    private long _bytes;

    /// <summary>Makes an empty ring.</summary>
    /// <param name="options">Its bounds.</param>
    /// <param name="next">Offset of the first update.</param>
    public TopicRing(TopicOptions options, long next) => (_options, _head, _tail) = (options, next, next);

    /// <summary>Offset that the next update gets.</summary>
    public long Head => Volatile.Read(ref _head);

    /// <summary>Oldest offset that is held; <see cref="Head"/> when none is.</summary>
    public long Tail => Volatile.Read(ref _tail);

    /// <summary>Bytes of memory that the updates hold, about.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>The update of an offset; false when it is not there yet, or not any more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryGet(long offset, out TopicUpdate update)
    {
        TopicUpdate?[] slots = Volatile.Read(ref _slots);
        TopicUpdate? found = Volatile.Read(ref slots[(int)(offset & (slots.Length - 1))]);
        update = found!;
        return found is not null && found.Offset == offset;
    }

    /// <summary>Takes updates in, the first at <see cref="Head"/>, and evicts what goes over the bounds.</summary>
    /// <param name="updates">The updates, in order.</param>
    /// <param name="stored">First offset that the store does not have: older ones may go for their age.</param>
    /// <param name="nowMicros">The time in Unix microseconds.</param>
    public void Append(ReadOnlySpan<TopicUpdate> updates, long stored, long nowMicros)
    {
        lock (_gate)
        {
            foreach (TopicUpdate update in updates)
            {
                Add(update);
                EvictOverBounds();
            }

            EvictOld(stored, nowMicros);
        }
    }

    /// <summary>Takes out what is older than the bound and in the store.</summary>
    public void Sweep(long stored, long nowMicros)
    {
        lock (_gate)
        {
            EvictOverBounds();
            EvictOld(stored, nowMicros);
        }
    }

    /// <summary>The first offset that was emitted at or after a time; <see cref="Head"/> when none was.</summary>
    public long Find(long micros)
    {
        lock (_gate)
        {
            long low = _tail;
            for (long high = _head; low < high;)
            {
                long middle = (low + high) >> 1;
                (low, high) = At(middle).EmittedAtMicros >= micros ? (low, middle) : (middle + 1, high);
            }

            return low;
        }
    }

    /// <summary>Counts bytes that an update holds besides.</summary>
    internal void Hold(long bytes) => Interlocked.Add(ref _bytes, bytes);

    private TopicUpdate At(long offset) => _slots[(int)(offset & (_slots.Length - 1))]!;

    private void Add(TopicUpdate update)
    {
        if (_head - _tail == _slots.Length)
        {
            if (_slots.Length < _options.MaxCount)
            {
                Grow();
            }
            else
            {
                EvictOldest();
            }
        }

        if (_lastOfKey.TryGetValue(update.Key, out TopicUpdate? before))
        {
            before.NextOfKey = update.Offset;
        }

        _lastOfKey[update.Key] = update;
        Interlocked.Add(ref _bytes, update.HeldBytes);
        update.Enter(this);
        Volatile.Write(ref _slots[(int)(update.Offset & (_slots.Length - 1))], update);
        Volatile.Write(ref _head, update.Offset + 1);
    }

    private void Grow()
    {
        var slots = new TopicUpdate?[_slots.Length * 2];
        for (long offset = _tail; offset < _head; offset++)
        {
            slots[(int)(offset & (slots.Length - 1))] = At(offset);
        }

        Volatile.Write(ref _slots, slots);
    }

    private void EvictOverBounds()
    {
        while (_head - _tail > _options.MaxCount || (Bytes > _options.MaxBytes && _head - _tail > 1))
        {
            EvictOldest();
        }
    }

    private void EvictOld(long stored, long nowMicros)
    {
        long oldest = nowMicros - (long)_options.MaxAge.TotalMicroseconds;
        while (_tail < _head && _tail < stored && At(_tail).EmittedAtMicros < oldest)
        {
            EvictOldest();
        }
    }

    private void EvictOldest()
    {
        TopicUpdate oldest = At(_tail);
        Volatile.Write(ref _tail, _tail + 1);
        Volatile.Write(ref _slots[(int)(oldest.Offset & (_slots.Length - 1))], null);
        Interlocked.Add(ref _bytes, -oldest.Leave());
        if (_lastOfKey.TryGetValue(oldest.Key, out TopicUpdate? last) && ReferenceEquals(last, oldest))
        {
            _lastOfKey.Remove(oldest.Key);
        }
    }
}
