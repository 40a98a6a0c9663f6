namespace Ingest.Stores;

/// <summary>Names and texts as ClickHouse SQL writes them.</summary>
internal static class SqlText
{
    /// <summary>A name in backticks.</summary>
    public static string Identifier(string name) => $"`{Escape(name).Replace("`", "\\`", StringComparison.Ordinal)}`";

    /// <summary>A text in quotes.</summary>
    public static string Literal(string text) => $"'{Escape(text).Replace("'", "\\'", StringComparison.Ordinal)}'";

    private static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal);
}
