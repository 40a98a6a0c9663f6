namespace Ingest.Stores.Sorting;

/// <summary>The values of a column of a block, by the column's number.</summary>
internal delegate ReadOnlySpan<byte> ColumnBytes(int column);
