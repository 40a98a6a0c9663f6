using Ingest.Log;

namespace Ingest.Feed;

/// <summary>What a segment's id says of its time.</summary>
public static class SegmentTime
{
    /// <summary>When a segment was opened.</summary>
    public static DateTimeOffset Of(ulong segmentId) => SegmentIds.TimeOf(segmentId);
}
