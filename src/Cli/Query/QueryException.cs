namespace Ingest.Cli.Query;

/// <summary>A query that failed; the message is the server's, or says why there is none.</summary>
/// <param name="message">The message.</param>
/// <param name="isRefused">Whether the server answered and refused the query.</param>
internal sealed class QueryException(string message, bool isRefused) : Exception(message)
{
    /// <summary>Whether the server answered and refused the query.</summary>
    public bool IsRefused { get; } = isRefused;
}
