namespace Ingest.Topics;

/// <summary>A run of offsets that memory no longer has: their updates, or the word that they are gone.</summary>
/// <param name="Updates">The updates, contiguous; null when they are gone.</param>
/// <param name="End">Offset behind the run.</param>
internal readonly record struct OlderPage(IReadOnlyList<TopicUpdate>? Updates, long End);
