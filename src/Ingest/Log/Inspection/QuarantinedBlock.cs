namespace Ingest.Log.Inspection;

/// <summary>A block in quarantine.</summary>
/// <param name="Record">What its index says of it, or what its bytes say where there is no index; the place is that in
/// the piece's file.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Fault">What is wrong with them; null when their checksum holds.</param>
internal sealed record QuarantinedBlock(BlockRecord Record, ReadOnlyMemory<byte> Bytes, string? Fault);
