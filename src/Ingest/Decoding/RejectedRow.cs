namespace Ingest.Decoding;

/// <summary>A row of a request that was rejected.</summary>
/// <param name="Index">Place among the rows of the request, from 0.</param>
/// <param name="Start">Where its bytes begin.</param>
/// <param name="Length">How many there are.</param>
/// <param name="Fault">Why.</param>
/// <param name="Source">
/// What its bytes lie in, for a row that came as columns and was written as a message; null for the request.
/// </param>
public readonly record struct RejectedRow(int Index, int Start, int Length, RowFault Fault, byte[]? Source = null)
{
    /// <summary>The row as a message.</summary>
    /// <param name="request">The request that it came in.</param>
    public ReadOnlySpan<byte> BytesIn(ReadOnlySpan<byte> request) =>
        Source is null ? request.Slice(Start, Length) : Source.AsSpan(Start, Length);
}
