namespace Ingest.Stores.Sorting;

/// <summary>A column of a segment: its name and type as the blocks say, and what sorts it.</summary>
internal sealed record SegmentColumn(string Name, string Type)
{
    /// <summary>What sorts its values.</summary>
    public SortedValues Values { get; } = SortedValues.Of(Type);
}
