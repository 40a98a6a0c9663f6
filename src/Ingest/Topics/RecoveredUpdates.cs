using Ingest.Columns;
using Ingest.Log;
using Ingest.Stores.Poison;

namespace Ingest.Topics;

/// <summary>The updates in a segment that the store may not have yet.</summary>
internal static class RecoveredUpdates
{
    private const string UpdateColumn = "update";

    /// <summary>Reads them in the order in which they were written.</summary>
    /// <exception cref="InvalidDataException">The segment is not what was written.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IEnumerable<TopicUpdate> Read(SealedSegment segment)
    {
        foreach (BlockContent block in SegmentRows.Read(segment).Blocks())
        {
            BlockValues updates = block.Find(UpdateColumn)
                ?? throw new InvalidDataException($"its blocks have no column {UpdateColumn}");
            for (int row = 0; row < block.Rows; row++)
            {
                if (TopicUpdate.TryRead(updates.Value(row).ToArray()) is { } update)
                {
                    yield return update;
                }
            }
        }
    }
}
