namespace Ingest.Load;

/// <summary>A message with points, and where their times stand in it.</summary>
/// <param name="Bytes">The message.</param>
/// <param name="Times">Its times in order.</param>
/// <param name="Second">Second of its first point, from the fleet's start.</param>
internal sealed record PointMessage(byte[] Bytes, TimePlace[] Times, long Second);
