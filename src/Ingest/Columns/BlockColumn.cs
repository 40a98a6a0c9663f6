namespace Ingest.Columns;

/// <summary>A column of a block that was read back.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type, as the block's header says it.</param>
/// <param name="Values">Its values.</param>
internal sealed record BlockColumn(string Name, string Type, BlockValues Values);
