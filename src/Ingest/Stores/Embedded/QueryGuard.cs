using System.Text.RegularExpressions;

namespace Ingest.Stores.Embedded;

/// <summary>Decides, by the engine's own parser, whether a text is one query that only reads the store's tables.</summary>
/// <remarks>
/// <c>readonly=1</c> refuses writes, settings and table functions that reach out of the engine, and it is always on. But
/// the embedded engine is a <c>clickhouse-local</c>, which trusts its user with the machine's files, and these pass it
/// (tried on 26.7): <c>INTO OUTFILE</c>, the scalar function <c>file()</c>, <c>DESCRIBE</c> of a table function (which
/// reads the file or asks the host), a hidden <c>ALIAS file(...)</c> in the structure text of <c>values()</c>, <c>KILL
/// QUERY</c>; and settings of a subquery are not checked. So the parsed statement is looked at: its class, the functions in the engine's own rewriting of it, and
/// the table functions of its syntax tree, of which only harmless ones are let through.
/// </remarks>
internal static partial class QueryGuard
{
    /// <summary>Table functions that reach nothing but the engine's own tables.</summary>
    private static readonly HashSet<string> s_tableFunctions = new(StringComparer.Ordinal)
    {
        "numbers", "numbers_mt", "zeros", "zeros_mt", "generate_series", "generateSeries", "view", "viewIfPermitted",
        "viewExplain", "merge", "values", "null", "primes",
    };

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
                return new CheckedQuery("", IsSelect: false);
            default:
                throw Refused("statements that change the session, the server or a file are refused.");
        }
    }

    private static CheckedQuery CheckReading(EngineConnection session, string text)
    {
        string canonical = session.ReadText(FormatQuery(text));
        Match output = FormatClause().Match(canonical);
        string bare = Literals().Replace(canonical, "''");
        Match function = ForbiddenFunction().Match(bare);
        if (function.Success)
        {
            throw Refused($"the function {function.Groups["name"].Value} reaches the server's files.");
        }

        if (DescribedFunction().IsMatch(bare))
        {
            throw Refused("DESCRIBE of a table function is refused; describe a table.");
        }

        if (NestedSettings().IsMatch(bare))
        {
            throw Refused("the settings of a subquery cannot be changed.");
        }

        string query = output.Success ? canonical[..output.Index] : canonical;
        if (query.Contains('(', StringComparison.Ordinal))
        {
            CheckTableFunctions(session.Run("EXPLAIN AST " + query, "TabSeparatedRaw"));
        }

        return new CheckedQuery(output.Success ? output.Groups["format"].Value : "", Select().IsMatch(bare));
    }

    private static void CheckTableFunctions(EngineResult explained)
    {
        using (explained)
        {
            string tree = System.Text.Encoding.UTF8.GetString(explained.Bytes);
            foreach (Match function in TableFunction().Matches(tree))
            {
                string name = function.Groups["name"].Value;
                if (!s_tableFunctions.Contains(name))
                {
                    throw Refused($"the table function {name} is refused.");
                }

                if (name == "values" && !PlainStructure().IsMatch(function.Groups["argument"].Value))
                {
                    throw Refused("values() takes a structure of names and types alone.");
                }
            }
        }
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

    [GeneratedRegex(@"^FORMAT (?<format>\w+)$", RegexOptions.Multiline | RegexOptions.RightToLeft)]
    private static partial Regex FormatClause();

    [GeneratedRegex(@"'(?:[^'\\]|\\.|'')*'", RegexOptions.Singleline)]
    private static partial Regex Literals();

    [GeneratedRegex(
        @"\b(?<name>file|catboostEvaluate)[`""]?\s*\(|\bAPPLY\s*\(?\s*[`""]?(?<name>file|catboostEvaluate)\b")]
    private static partial Regex ForbiddenFunction();

    [GeneratedRegex(@"^[ \t(]*(?:SELECT|WITH)\b")]
    private static partial Regex Select();

    [GeneratedRegex(@"^.*\S.*\bSETTINGS\s+\w+ = |^[ \t]+SETTINGS\s", RegexOptions.Multiline)]
    private static partial Regex NestedSettings();

    [GeneratedRegex(@"^DESCRIBE TABLE\s+[^\s(]+\(")]
    private static partial Regex DescribedFunction();

    [GeneratedRegex(
        @"TableExpression \(children \d+\)\n *Function (?<name>\S+)[^\n]*(?:\n *ExpressionList[^\n]*\n *(?<argument>[^\n]*))?")]
    private static partial Regex TableFunction();

    [GeneratedRegex(@"^(?!.*(?:alias|default|materialized|ephemeral))(?:Literal|Function tuple)", RegexOptions.IgnoreCase)]
    private static partial Regex PlainStructure();

    [GeneratedRegex(@": In scope SELECT formatQuery\(.*?\)(?=\. \(SYNTAX_ERROR\)|$)", RegexOptions.Singleline)]
    private static partial Regex FormatQueryScope();
}
