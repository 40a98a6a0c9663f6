namespace Ingest.Log.Inspection;

/// <summary>A segment as it lies in the log.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Path">Path of its data file.</param>
/// <param name="OpenedAt">When it was opened.</param>
/// <param name="Blocks">Good blocks with rows.</param>
/// <param name="Rows">Rows in them.</param>
/// <param name="Bytes">Bytes of them.</param>
/// <param name="TailBytes">Bytes behind the last good block: a write that is under way, or was cut short, or what the file
/// had before it was written over.</param>
/// <param name="IsRefused">Whether the store has refused it and its bad rows are being looked for.</param>
/// <param name="Faults">What is wrong with it, in words; none when every checksum holds.</param>
public sealed record InspectedSegment(
    ulong Id, string Path, DateTimeOffset OpenedAt, int Blocks, long Rows, long Bytes, long TailBytes, bool IsRefused,
    IReadOnlyList<string> Faults);
