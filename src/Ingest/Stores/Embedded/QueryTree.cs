using System.Text.RegularExpressions;

namespace Ingest.Stores.Embedded;

/// <summary>A statement's syntax tree as <c>EXPLAIN AST</c> prints it: a node a line, indented by its depth.</summary>
/// <remarks>
/// Names are printed raw, so a line break within a quoted name makes lines that are no nodes. It can only add lines,
/// never take one away: every rule here holds for each line by itself, except that of <c>values()</c>, which says how
/// it copes. One node hides a function from the tree, <c>APPLY</c>; <c>SHOW</c> hides its conditions.
/// </remarks>
internal static partial class QueryTree
{
    /// <summary>Refuses what reaches out of the tables.</summary>
    /// <param name="tree">What the engine printed.</param>
    /// <param name="canonical">The statement that the tree is of, as the engine writes it.</param>
    /// <returns>Why the statement is refused; null when it only reads.</returns>
    public static string? WhyRefused(string tree, string canonical)
    {
        string? reason = Root().Match(tree).Groups["kind"].Value switch
        {
            "Select" or "Describe" or "Explain" => null,
            "Show" => null,
            "Exists" => PlainExists().IsMatch(canonical) ? null : "EXISTS takes a plain name.",
            _ => "this kind of statement is refused.",
        };
        return reason ?? WhyShown(tree, canonical) ?? WhySet(tree) ?? WhyNamed(tree) ?? WhyCalled(tree, canonical)
            ?? WhyApplied(tree, canonical);
    }

    private static string? WhyShown(string tree, string canonical) =>
        Shown().IsMatch(tree) && canonical.Contains('(', StringComparison.Ordinal)
            ? "SHOW takes no functions; ask the tables of `system`."
            : null;

    /// <summary>An EXPLAIN has options of its own at depth 1; any deeper, they are settings of a subquery.</summary>
    private static string? WhySet(string tree)
    {
        Regex set = tree.StartsWith("Explain", StringComparison.Ordinal) ? DeepSet() : AnySet();
        return set.IsMatch(tree) ? "the settings of a query cannot be changed." : null;
    }

    /// <summary>The engine takes a path for a table's name, and what it then says tells whether the file exists.</summary>
    private static string? WhyNamed(string tree) =>
        PathName().IsMatch(tree) ? "a file is not a table." : null;

    private static string? WhyCalled(string tree, string canonical)
    {
        foreach (Match function in Function().Matches(tree))
        {
            string name = function.Groups["name"].Value;
            bool isTable = function.Groups["table"].Success;
            if (isTable && !KnownFunctions.IsReadingTable(name))
            {
                return $"the table function {name} is refused.";
            }

            if (!isTable && !KnownFunctions.IsReading(name) && !KnownFunctions.IsReadingTable(name))
            {
                return $"the function {name} is refused.";
            }
        }

        return WhyValues(tree, canonical);
    }

    /// <summary>The structure of <c>values()</c> can hide a function in a column's default.</summary>
    /// <remarks>What follows the node's line matters here, so no name may have a line break, whatever it is of.</remarks>
    private static string? WhyValues(string tree, string canonical)
    {
        foreach (Match values in Values().Matches(tree))
        {
            if (canonical.Contains("\\n", StringComparison.Ordinal))
            {
                return "a query with values() has no line breaks within names or texts.";
            }

            if (!PlainStructure().IsMatch(values.Groups["argument"].Value))
            {
                return "values() takes a structure of names and types alone.";
            }
        }

        return null;
    }

    private static string? WhyApplied(string tree, string canonical)
    {
        int nodes = Applied().Count(tree);
        if (nodes == 0)
        {
            return null;
        }

        MatchCollection applied = Apply().Matches(canonical);
        return applied.Count == nodes && applied.All(match => KnownFunctions.IsReading(match.Groups["name"].Value))
            ? null
            : "APPLY takes the plain name of a function that only reads.";
    }

    [GeneratedRegex(@"^(?<kind>Select|Describe|Explain|Show|Exists)")]
    private static partial Regex Root();

    [GeneratedRegex(@"^EXISTS [A-Z ]*[\w.]+\s*$")]
    private static partial Regex PlainExists();

    [GeneratedRegex(@"^ *Show", RegexOptions.Multiline)]
    private static partial Regex Shown();

    [GeneratedRegex(@"^ *Set\b", RegexOptions.Multiline)]
    private static partial Regex AnySet();

    [GeneratedRegex(@"^ {2,}Set\b", RegexOptions.Multiline)]
    private static partial Regex DeepSet();

    [GeneratedRegex(@"^ *(?:TableIdentifier [^\n]*/|Identifier \.{0,2}/)", RegexOptions.Multiline)]
    private static partial Regex PathName();

    [GeneratedRegex(
        @"(?<table>^ *TableExpression[^\n]*\n)?^ *Function (?<name>[^\n]*?)(?= \(alias | \(children |$)",
        RegexOptions.Multiline)]
    private static partial Regex Function();

    [GeneratedRegex(
        @"^ *Function (?i:values)\b(?:[^\n]*\n *ExpressionList[^\n]*\n *(?<argument>[^\n]*))?", RegexOptions.Multiline)]
    private static partial Regex Values();

    [GeneratedRegex(
        @"^(?!.*(?:alias|default|materialized|ephemeral))(?:Literal|Function tuple)", RegexOptions.IgnoreCase)]
    private static partial Regex PlainStructure();

    [GeneratedRegex(@"^ *ColumnsApplyTransformer", RegexOptions.Multiline)]
    private static partial Regex Applied();

    [GeneratedRegex(@"\bAPPLY\b(?: \(?(?<name>\w+)(?![\w`]| ->))?")]
    private static partial Regex Apply();
}
