namespace Ingest.Stores;

/// <summary>Where statements of ours run: a connection to the embedded engine, or a server.</summary>
internal interface ISqlSession
{
    /// <summary>Runs one statement whose answer does not matter.</summary>
    /// <exception cref="StoreException">The store refused or failed.</exception>
    Task RunAsync(string statement, CancellationToken cancellationToken);

    /// <summary>Runs one statement and gives its answer as rows of unescaped text values.</summary>
    /// <exception cref="StoreException">The store refused or failed.</exception>
    Task<List<string[]>> ReadRowsAsync(string statement, CancellationToken cancellationToken);
}
