using System.Globalization;

namespace Ingest.Feed;

/// <summary>A place in the log of a table: so many rows of a segment, and all of the segments before it.</summary>
/// <param name="SegmentId">The segment; ids of a data directory rise, so places of a table have an order.</param>
/// <param name="Row">Rows of the segment that lie before the place.</param>
public readonly record struct BlockPlace(ulong SegmentId, long Row) : IComparable<BlockPlace>
{
    /// <inheritdoc/>
    public int CompareTo(BlockPlace other) =>
        SegmentId != other.SegmentId ? SegmentId.CompareTo(other.SegmentId) : Row.CompareTo(other.Row);

    /// <summary>Whether one place comes before another.</summary>
    public static bool operator <(BlockPlace left, BlockPlace right) => left.CompareTo(right) < 0;

    /// <summary>Whether one place comes after another.</summary>
    public static bool operator >(BlockPlace left, BlockPlace right) => left.CompareTo(right) > 0;

    /// <summary>Whether one place does not come after another.</summary>
    public static bool operator <=(BlockPlace left, BlockPlace right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one place does not come before another.</summary>
    public static bool operator >=(BlockPlace left, BlockPlace right) => left.CompareTo(right) >= 0;

    /// <summary>The place as text, <c>SEGMENT/ROW</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{SegmentId}/{Row}");
}
