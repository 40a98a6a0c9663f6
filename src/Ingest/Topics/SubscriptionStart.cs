namespace Ingest.Topics;

/// <summary>Where a subscription starts in a topic.</summary>
/// <param name="Epoch">Epoch.</param>
/// <param name="Offset">Offset of the first update.</param>
/// <param name="IsRecovered">Whether everything since the place that was asked for can be had.</param>
internal readonly record struct SubscriptionStart(string Epoch, long Offset, bool IsRecovered);
