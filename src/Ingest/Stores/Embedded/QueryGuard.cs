using System.Text;
using System.Text.RegularExpressions;

namespace Ingest.Stores.Embedded;

/// <summary>Decides, by the engine's own parser, whether a text is one query that only reads the store's tables.</summary>
/// <remarks>
/// <para>
/// <c>readonly=1</c> refuses writes, settings and table functions that reach out of the engine, and it is always on. But
/// the embedded engine is a <c>clickhouse-local</c>, which trusts its user with the machine's files, and these pass it
/// (tried on 26.7): <c>INTO OUTFILE</c>, the scalar function <c>file()</c>, <c>DESCRIBE</c> of a table function (which
/// reads the file or asks the host), a hidden <c>ALIAS file(...)</c> in the structure text of <c>values()</c>, the
/// conditions of <c>SHOW</c>, <c>KILL QUERY</c>; and settings of a subquery are not checked.
/// </para>
/// <para>
/// So a text is parsed and written anew by the engine, <see cref="QueryTree"/> looks at the syntax tree of that, where
/// quotes and comments are no more, and lets <see cref="KnownFunctions"/> through and no others. What was looked at is
/// what is run, not the client's text.
/// </para>
/// </remarks>
internal static partial class QueryGuard
{
    /// <summary>Checks a text.</summary>
    /// <param name="session">A read-only session.</param>
    /// <param name="text">What the client sent.</param>
    /// <exception cref="StoreException">It is refused.</exception>
    public static CheckedQuery Check(EngineConnection session, string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new StoreException("The query has a NUL character.", StoreFault.BadQuery);
        }

        QueryAnalysis analysis = session.Classify(text);
        if (analysis.StatementCount == 0)
        {
            throw SyntaxError(session, text);
        }

        if (analysis.StatementCount > 1)
        {
            throw new StoreException("One statement a request; this text has more.", StoreFault.BadQuery);
        }

        switch (analysis.Class)
        {
            case StatementClass.ReadOnly:
                return CheckReading(session, text);
            case StatementClass.Mutating or StatementClass.MutatingGlobal:
                // The engine refuses it and says so in its own words.
                return new CheckedQuery(text, "", IsSelect: false);
            default:
                throw Refused("statements that change the session, the server or a file are refused.");
        }
    }

    private static CheckedQuery CheckReading(EngineConnection session, string text)
    {
        string canonical = session.ReadText(FormatQuery(text));
        Match output = FormatClause().Match(canonical);
        string query = output.Success ? canonical[..output.Index] : canonical;

        // With a FORMAT left in it, the text's own format would decide what we get to see of its tree.
        if (StartOfFormat().IsMatch(query))
        {
            throw Refused("the settings of a query cannot be changed.");
        }

        QueryAnalysis analysis = session.Classify(query);
        if (analysis.StatementCount != 1 || analysis.Class != StatementClass.ReadOnly)
        {
            throw Refused("the text means something else when it is written plainly.");
        }

        string tree = Tree(session, query);
        return QueryTree.WhyRefused(tree, query) is { } reason
            ? throw Refused(reason)
            : new CheckedQuery(
                query, output.Groups["format"].Value, tree.StartsWith("Select", StringComparison.Ordinal));
    }

    private static string Tree(EngineConnection session, string query)
    {
        using EngineResult explained = session.Run("EXPLAIN AST " + query, "TabSeparatedRaw");
        return Encoding.UTF8.GetString(explained.Bytes);
    }

    private static string FormatQuery(string text) => $"SELECT formatQuery({SqlText.Literal(text)})";

    private static StoreException SyntaxError(EngineConnection session, string text)
    {
        try
        {
            session.ReadText(FormatQuery(text));
        }
        catch (StoreException e)
        {
            return new StoreException(FormatQueryScope().Replace(e.Message, ""), StoreFault.BadQuery);
        }

        return new StoreException("The text is not a query.", StoreFault.BadQuery);
    }

    private static StoreException Refused(string reason) => new("Only reading is allowed: " + reason, StoreFault.ReadOnly);

    [GeneratedRegex(@"^FORMAT `?(?<format>\w+)`?\s*\z", RegexOptions.Multiline)]
    private static partial Regex FormatClause();

    [GeneratedRegex(@"^FORMAT\b", RegexOptions.Multiline)]
    private static partial Regex StartOfFormat();

    [GeneratedRegex(@": In scope SELECT formatQuery\(.*?\)(?=\. \(SYNTAX_ERROR\)|$)", RegexOptions.Singleline)]
    private static partial Regex FormatQueryScope();
}
