using System.Diagnostics.CodeAnalysis;

namespace Ingest.Log;

/// <summary>The producers of one table and how far their rows are durable. One thread at a time.</summary>
internal sealed class Producers
{
    private readonly Dictionary<string, ProducerProgress> _producers = new(StringComparer.Ordinal);

    /// <summary>Producers known.</summary>
    public int Count => _producers.Count;

    /// <summary>Takes what a durable block says of a producer.</summary>
    public void Add(in ProducerEntry entry)
    {
        if (!_producers.TryGetValue(entry.ProducerId, out var progress))
        {
            _producers.Add(entry.ProducerId, progress = new ProducerProgress());
        }

        progress.Add(entry.SessionEpoch, entry.FirstOffset, entry.OffsetCount);
    }

    /// <summary>How far a producer is; false when it is not known.</summary>
    public bool TryGet(string producerId, [NotNullWhen(true)] out ProducerProgress? progress) =>
        _producers.TryGetValue(producerId, out progress);
}
