using Ingest.Admission;
using Ingest.Log;
using Ingest.Stores;

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
}
