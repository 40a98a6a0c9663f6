namespace Ingest.Columns;

/// <summary>Where a value lies among the bytes that it came in.</summary>
/// <param name="Start">Its first byte.</param>
/// <param name="Length">How many there are.</param>
internal readonly record struct TextPlace(int Start, int Length);
