namespace Ingest.Stores.Embedded;

/// <summary>What <see cref="QueryGuard"/> learnt of a query that it lets through.</summary>
/// <param name="Format">Output format that the query names, or empty.</param>
/// <param name="IsSelect">Whether it is a SELECT: the engine streams no other statement.</param>
internal readonly record struct CheckedQuery(string Format, bool IsSelect);
