namespace Ingest.Tests.Decoding;

/// <summary>What a column of a row should hold.</summary>
/// <param name="Column">The column.</param>
/// <param name="Text">The value, as CellText tells it.</param>
/// <param name="TextOf">How the column's strings are told, if not as they are.</param>
internal sealed record ExpectedCell(string Column, string Text, Func<byte[], string>? TextOf = null);
