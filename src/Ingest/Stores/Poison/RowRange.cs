namespace Ingest.Stores.Poison;

/// <summary>Rows of a segment, counted from its first.</summary>
/// <param name="First">Place of the first.</param>
/// <param name="Count">How many; more than zero.</param>
internal readonly record struct RowRange(long First, long Count)
{
    /// <summary>Place behind the last.</summary>
    public long End => First + Count;
}
