namespace Ingest.Log.Inspection;

/// <summary>What the log has of a table.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Segments">Its segments that the store does not have yet, by age.</param>
/// <param name="Producers">Its producers, by id.</param>
/// <param name="Faults">What is wrong beside its segments, in words.</param>
public sealed record InspectedTable(
    string Name, IReadOnlyList<InspectedSegment> Segments, IReadOnlyList<InspectedProducer> Producers,
    IReadOnlyList<string> Faults)
{
    /// <summary>Good rows.</summary>
    public long Rows => Segments.Sum(segment => segment.Rows);

    /// <summary>Bytes of good blocks.</summary>
    public long Bytes => Segments.Sum(segment => segment.Bytes);
}
