namespace Ingest.Stores.Embedded;

/// <summary>A connection to the embedded engine with the thread that may use it.</summary>
internal sealed class EngineSession(StoreThread thread, EngineConnection connection) : ISqlSession
{
    /// <inheritdoc/>
    public Task RunAsync(string statement, CancellationToken cancellationToken) =>
        thread.RunAsync(() => connection.Run(statement).Dispose(), cancellationToken);

    /// <inheritdoc/>
    public Task<List<string[]>> ReadRowsAsync(string statement, CancellationToken cancellationToken) =>
        thread.RunAsync(() => connection.ReadRows(statement), cancellationToken);
}
