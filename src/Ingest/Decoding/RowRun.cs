namespace Ingest.Decoding;

/// <summary>Rows of a request that follow each other and were accepted.</summary>
/// <param name="Index">Place of the first among the rows of the request, from 0.</param>
/// <param name="FirstRow">Its place in the batch.</param>
/// <param name="Count">How many there are.</param>
public readonly record struct RowRun(int Index, int FirstRow, int Count);
