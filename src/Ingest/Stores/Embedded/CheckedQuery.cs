namespace Ingest.Stores.Embedded;

/// <summary>A query that <see cref="QueryGuard"/> lets through.</summary>
/// <param name="Text">What is to be run: the client's query as the engine writes it, without its FORMAT.</param>
/// <param name="Format">Output format that the query names, or empty.</param>
/// <param name="IsSelect">Whether it is a SELECT: the engine streams no other statement.</param>
internal readonly record struct CheckedQuery(string Text, string Format, bool IsSelect);
