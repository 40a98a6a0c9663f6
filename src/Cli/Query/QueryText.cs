using System.Text.RegularExpressions;

namespace Ingest.Cli.Query;

/// <summary>A SQL statement as it is sent: with the format that the answer is to have.</summary>
internal static partial class QueryText
{
    /// <summary>The format that tables are made of.</summary>
    public const string TableFormat = "TabSeparatedWithNamesAndTypes";

    /// <summary>Whether the statement ends with a FORMAT of its own.</summary>
    public static bool HasFormat(string sql) => FormatClause().IsMatch(sql);

    /// <summary>The statement with a format behind it, on a line of its own: a comment may end the statement.</summary>
    public static string WithFormat(string sql, string format) =>
        $"{sql.TrimEnd().TrimEnd(';')}\nFORMAT {format}";

    [GeneratedRegex(@"\bFORMAT\s+[A-Za-z]\w*\s*;?\s*$", RegexOptions.IgnoreCase)]
    private static partial Regex FormatClause();
}
