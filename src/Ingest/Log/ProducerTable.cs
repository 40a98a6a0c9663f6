using System.Diagnostics.CodeAnalysis;
using Ingest.Columns;

namespace Ingest.Log;

/// <summary>
/// The producers of a table: decides which of the offsets that reach the lane are new. Nothing else does.
/// </summary>
/// <remarks>
/// The lane's thread alone, once recovery has handed it over. Offsets are staged with their group, then taken for good
/// or given back with it. 0 bytes are allocated an entry while a producer's offsets come in order.
/// </remarks>
internal sealed class ProducerTable
{
    /// <summary>
    /// Ranges ahead of a gap that a producer may have, 16 bytes each. A batch that overtook another makes one, and so do
    /// rows between two rejected ones, until the dead letters are durable. What a session may have under way bounds them
    /// long before: 4 MiB of credit is 200,000 at most.
    /// </summary>
    public const int MaxRangesAhead = 1 << 20;

    private readonly Dictionary<string, ProducerState> _producers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ulong> _expired = new(StringComparer.Ordinal);
    private readonly List<ProducerState> _staged = [];
    private readonly List<ProducerState> _committed = [];
    private readonly List<ProducerState> _unsealed = [];
    private readonly List<ProducerState> _unsaved = [];

    /// <summary>Producers known.</summary>
    public int Count => _producers.Count;

    /// <summary>Whether there are session numbers that the file has not.</summary>
    public bool HasUnsavedEpochs { get; private set; }

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<ProducerState> All => _producers.Values;

    /// <summary>Producers that the file has less of than is known here.</summary>
    public IReadOnlyList<ProducerState> Unsaved => _unsaved;

    /// <summary>Producers with durable offsets in the open segment.</summary>
    public IReadOnlyList<ProducerState> Unsealed => _unsealed;

    /// <summary>
    /// Producers that expired, with the last segment that had offsets of theirs: what older segments say of them does
    /// not count.
    /// </summary>
    public IReadOnlyDictionary<string, ulong> Expired => _expired;

    /// <summary>What is known of a producer; false when it is not known.</summary>
    public bool TryGet(string producerId, [NotNullWhen(true)] out ProducerState? producer) =>
        _producers.TryGetValue(producerId, out producer);

    /// <summary>A producer, made known if need be.</summary>
    public ProducerState GetOrAdd(string producerId)
    {
        if (!_producers.TryGetValue(producerId, out var producer))
        {
            _producers.Add(producerId, producer = new ProducerState(producerId));
        }

        return producer;
    }

    /// <summary>Takes a producer whose session number is higher than the file has it.</summary>
    public void RaiseEpoch(ProducerState producer, long epoch, long now)
    {
        producer.Epoch = epoch;
        producer.LastSeen = Math.Max(producer.LastSeen, now);
        HasUnsavedEpochs = true;
        MarkUnsaved(producer);
    }

    /// <summary>Forgets a producer of which nothing is durable.</summary>
    public void Forget(ProducerState producer) => _producers.Remove(producer.Id);

    /// <summary>Forgets a producer that was idle for too long.</summary>
    public void Expire(string producerId, ulong lastSegmentId)
    {
        if (_producers.Remove(producerId, out var producer) && producer.IsUnsaved)
        {
            _unsaved.Remove(producer);
        }

        // Of one that never had rows no segment says anything.
        if (lastSegmentId > 0)
        {
            _expired[producerId] = Math.Max(lastSegmentId, _expired.GetValueOrDefault(producerId));
        }
    }

    /// <summary>Forgets of which producers older segments do not count, where no such segment is left.</summary>
    public void ForgetExpiredBefore(ulong oldestSegmentId)
    {
        foreach (var (id, last) in _expired)
        {
            if (last < oldestSegmentId)
            {
                _expired.Remove(id);
            }
        }
    }

    /// <summary>Decides about an entry, and takes its offsets into the group when all of them are new.</summary>
    public ProducerVerdict Stage(in BatchEntry entry)
    {
        if (entry.Sink is not ProducerSession { State: { } producer } session || producer.Session != session)
        {
            return ProducerVerdict.Fenced;
        }

        var end = entry.FirstOffset + entry.OffsetCount;
        if (!producer.IsStaged)
        {
            producer.IsStaged = true;
            producer.BeforeGroup = producer.Offsets.Save();
            _staged.Add(producer);
        }

        if (producer.Offsets.Overlaps(entry.FirstOffset, end))
        {
            return ProducerVerdict.Known;
        }

        if (producer.Offsets.AheadCount >= MaxRangesAhead && entry.FirstOffset > producer.Offsets.End)
        {
            return ProducerVerdict.TooFarAhead;
        }

        producer.Offsets.Add(entry.FirstOffset, end);
        return ProducerVerdict.New;
    }

    /// <summary>Takes the group for good: it is durable.</summary>
    /// <param name="segmentId">The segment that it is in.</param>
    /// <param name="now">Unix seconds.</param>
    public void Commit(ulong segmentId, long now)
    {
        foreach (var producer in _staged)
        {
            producer.IsStaged = false;

            // Ids never go back: under a clock that is too early for now, this keeps the producer from looking long idle
            // once the clock is right.
            producer.LastSeen = Math.Max(now, SegmentIds.UnixSecondsOf(segmentId));
            producer.LastSegmentId = segmentId;
            if (!producer.IsUnsealed)
            {
                producer.IsUnsealed = true;
                _unsealed.Add(producer);
            }

            MarkUnsaved(producer);
        }

        _committed.AddRange(_staged);
        _staged.Clear();
    }

    /// <summary>Gives the group's offsets back: it is not durable.</summary>
    public void RollBack()
    {
        foreach (var producer in _staged)
        {
            producer.IsStaged = false;
            producer.Offsets.Restore(producer.BeforeGroup);
        }

        _staged.Clear();
    }

    /// <summary>Producers of the groups that were committed since the last call.</summary>
    public void TakeCommitted(List<ProducerState> committed)
    {
        committed.AddRange(_committed);
        _committed.Clear();
    }

    /// <summary>The open segment is sealed: how far producers are, once it and all before are stored.</summary>
    public (ProducerState Producer, long End)[] Seal()
    {
        var ends = new (ProducerState, long)[_unsealed.Count];
        for (var i = 0; i < ends.Length; i++)
        {
            ends[i] = (_unsealed[i], _unsealed[i].Offsets.End);
            _unsealed[i].IsUnsealed = false;
        }

        _unsealed.Clear();
        return ends;
    }

    /// <summary>The file has all that is known here.</summary>
    public void MarkSaved()
    {
        foreach (var producer in _unsaved)
        {
            producer.IsUnsaved = false;
        }

        _unsaved.Clear();
        HasUnsavedEpochs = false;
    }

    private void MarkUnsaved(ProducerState producer)
    {
        if (!producer.IsUnsaved && producer.Id.Length > 0)
        {
            producer.IsUnsaved = true;
            _unsaved.Add(producer);
        }
    }
}
