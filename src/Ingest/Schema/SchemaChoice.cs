namespace Ingest.Schema;

/// <summary>Which version of a table is to be in force.</summary>
/// <param name="Table">That version, with those before it.</param>
/// <param name="IsNew">Whether it is not remembered yet.</param>
/// <param name="Refusal">Why it is not the one that was wanted; null when it is.</param>
internal sealed record SchemaChoice(TableSchema Table, bool IsNew, string? Refusal);
