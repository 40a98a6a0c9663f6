using Ingest.Admission;
using Ingest.Log;
using Ingest.Stores;
using Ingest.Topics;

namespace Ingest;

/// <summary>Settings of the pipeline.</summary>
public sealed record PipelineOptions
{
    /// <summary>The log.</summary>
    public LogOptions Log { get; init; } = new();

    /// <summary>What is taken before senders are slowed, and refused.</summary>
    public AdmissionOptions Admission { get; init; } = new();

    /// <summary>Where segments go.</summary>
    public StoreOptions Store { get; init; } = new();

    /// <summary>How much of what agents conclude stays in memory, and when a subscriber counts as slow.</summary>
    public TopicOptions Topics { get; init; } = new();

    /// <summary>
    /// Whether what earlier runs left stays in the log until <see cref="Feed.CommittedFeed.Settle"/>, though the store has
    /// it; default false.
    /// </summary>
    public bool HoldsForListeners { get; init; }

    /// <summary>Images of descriptors with more tables, and directories of them; default none.</summary>
    public IReadOnlyList<string> Schemas { get; init; } = [];

    /// <summary>How often the images are looked at for changes; default 5 s, 0 for never.</summary>
    public TimeSpan SchemaReloadPeriod { get; init; } = TimeSpan.FromSeconds(5);
}
