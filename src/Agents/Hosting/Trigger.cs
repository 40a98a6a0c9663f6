using System.Globalization;
using Ingest.Feed;

namespace Ingest.Agents.Hosting;

/// <summary>
/// The row that an update was emitted for, and which of the updates for that row and key it is, from 0.
/// </summary>
internal readonly record struct Trigger(string Table, BlockPlace Place, int Number)
{
    /// <summary>
    /// As text, <c>TABLE/SEGMENT/ROW/NUMBER</c>: what stands in the inputs of an update's provenance.
    /// </summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Table}/{Place.SegmentId}/{Place.Row}/{Number}");

    public static bool TryParse(string text, out Trigger trigger)
    {
        trigger = default;
        string[] parts = text.Split('/');
        if (parts.Length != 4
            || !ulong.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong segment)
            || !long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out long row)
            || !int.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out int number))
        {
            return false;
        }

        trigger = new Trigger(parts[0], new BlockPlace(segment, row), number);
        return true;
    }

    /// <summary>
    /// Whether an update for this row was emitted no later than the one for another row of the table.
    /// </summary>
    public bool IsNotAfter(Trigger other) =>
        Place.CompareTo(other.Place) is var order && (order < 0 || (order == 0 && Number <= other.Number));
}
