namespace Ingest.Stores.Embedded;

/// <summary>What a query may call: a list that was read through, not what the engine happens to have.</summary>
/// <remarks>
/// The list is <c>functions.txt</c> beside this file. A function that a newer engine brings is refused until somebody
/// has looked at it; a test says which those are.
/// </remarks>
internal static class KnownFunctions
{
    private const string ReadsSection = "[reads]";
    private const string RefusedSection = "[refused]";

    /// <summary>Table functions that reach nothing but the engine's own tables.</summary>
    private static readonly HashSet<string> s_tables = new(StringComparer.Ordinal)
    {
        "numbers", "numbers_mt", "zeros", "zeros_mt", "generate_series", "generateSeries", "view", "merge", "values",
        "primes",
    };

    /// <summary>What may follow an aggregate function's name: <c>system.aggregate_function_combinators</c>.</summary>
    private static readonly string[] s_combinators =
    [
        "SimpleState", "OrDefault", "Distinct", "Resample", "ForEach", "ArgMax", "ArgMin", "OrNull", "Tuple", "Merge",
        "State", "Array", "Null", "Map", "If",
    ];

    // Names that are not case-sensitive in the engine are many; no refused name differs from a listed one by case.
    private static readonly HashSet<string> s_reads = new(StringComparer.OrdinalIgnoreCase);
    private static readonly HashSet<string> s_refused = new(StringComparer.OrdinalIgnoreCase);

    static KnownFunctions()
    {
        using Stream list = typeof(KnownFunctions).Assembly.GetManifestResourceStream("Ingest.Stores.functions.txt")
            ?? throw new InvalidOperationException("The list of functions is not in the assembly.");
        using var reader = new StreamReader(list);
        HashSet<string> section = s_refused;
        while (reader.ReadLine() is { } line)
        {
            if (line is ReadsSection or RefusedSection)
            {
                section = line == ReadsSection ? s_reads : s_refused;
            }
            else if (!line.StartsWith('#'))
            {
                section.UnionWith(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            }
        }
    }

    /// <summary>Whether the name stands in the list, as harmless or as refused.</summary>
    public static bool IsListed(string name) => s_reads.Contains(name) || s_refused.Contains(name);

    /// <summary>Whether a query's rows may come from the table function.</summary>
    public static bool IsReadingTable(string name) => s_tables.Contains(name);

    /// <summary>Whether an expression may call the function: one of the list, or an aggregate with combinators.</summary>
    public static bool IsReading(string name)
    {
        if (s_refused.Contains(name))
        {
            return false;
        }

        ReadOnlySpan<char> rest = name;
        HashSet<string>.AlternateLookup<ReadOnlySpan<char>> reads =
            s_reads.GetAlternateLookup<ReadOnlySpan<char>>();
        while (!reads.Contains(rest))
        {
            int length = CombinatorLength(rest);
            if (length == 0)
            {
                return false;
            }

            rest = rest[..^length];
        }

        return true;
    }

    private static int CombinatorLength(ReadOnlySpan<char> name)
    {
        foreach (string combinator in s_combinators)
        {
            if (name.Length > combinator.Length && name.EndsWith(combinator, StringComparison.Ordinal))
            {
                return combinator.Length;
            }
        }

        return 0;
    }
}
