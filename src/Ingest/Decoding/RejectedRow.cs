namespace Ingest.Decoding;

/// <summary>A row of a request that was rejected.</summary>
/// <param name="Index">Place among the rows of the request, from 0.</param>
/// <param name="Start">Where its bytes begin in the request.</param>
/// <param name="Length">How many there are.</param>
/// <param name="Fault">Why.</param>
public readonly record struct RejectedRow(int Index, int Start, int Length, RowFault Fault);
