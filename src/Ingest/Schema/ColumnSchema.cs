namespace Ingest.Schema;

/// <summary>A column of a table as the store knows it.</summary>
/// <param name="Name">Name of the column.</param>
/// <param name="Type">ClickHouse type of the stored column.</param>
/// <param name="Codec">Compression codec in ClickHouse SQL, or empty for the server's default.</param>
/// <param name="Default">DEFAULT expression in ClickHouse SQL, or empty; such a column is not in the log's
/// blocks.</param>
/// <param name="NativeType">Type in the header of the log's blocks, where the engine casts; mostly <paramref
/// name="Type"/>.</param>
public sealed record ColumnSchema(string Name, string Type, string Codec, string Default, string NativeType)
{
    /// <summary>Whether the column stands in the log's blocks, so in the INSERT's column list.</summary>
    public bool IsInserted => Default.Length == 0;
}
