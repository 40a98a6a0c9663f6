namespace Ingest.Tests.Columns;

/// <summary>A column of a block that was read back.</summary>
internal sealed record NativeColumn(string Name, string Type, object?[] Values);
