using Ingest.Log;
using Ingest.Schema;

namespace Ingest.Stores;

/// <summary>Where segments go: the embedded engine, a ClickHouse server, or nowhere.</summary>
public interface IStore : IAsyncDisposable
{
    /// <summary>What the store is, for people: engine, version and place.</summary>
    string Description { get; }

    /// <summary>Whether the store answers now.</summary>
    Task<bool> IsAvailableAsync(CancellationToken cancellationToken);

    /// <summary>Creates the table, or adds the columns that it lacks.</summary>
    /// <exception cref="StoreException">The store refused, or an existing column has another type.</exception>
    Task EnsureTableAsync(TableSchema table, CancellationToken cancellationToken);

    /// <summary>As <see cref="EnsureTableAsync"/>, of all tables of a start.</summary>
    /// <exception cref="StoreException">The store refused one; those behind it were not looked at.</exception>
    async Task EnsureTablesAsync(IReadOnlyCollection<TableSchema> tables, CancellationToken cancellationToken)
    {
        foreach (TableSchema table in tables)
        {
            await EnsureTableAsync(table, cancellationToken);
        }
    }

    /// <summary>
    /// Segments of a table with the same number are inserted one after the other, others side by side; asked once for
    /// each segment, when it comes.
    /// </summary>
    int LaneOf(SealedSegment segment) => 0;

    /// <summary>
    /// Inserts a segment as one INSERT with its token. When the task completes the rows can be queried and survive a
    /// power loss. A segment whose token the store knows is not inserted again.
    /// </summary>
    /// <exception cref="StoreException">
    /// The segment is not known to be inserted: count its rows before the next try.
    /// </exception>
    Task InsertAsync(SealedSegment segment, CancellationToken cancellationToken);

    /// <summary>
    /// Says which segment will be inserted behind the one that is being inserted, so that the store may read it meanwhile.
    /// Nothing of it is inserted before <see cref="InsertAsync"/> is called with it, as has to be done.
    /// </summary>
    void Prepare(SealedSegment segment)
    {
    }

    /// <summary>
    /// Undoes <see cref="Prepare"/>: the segment's turn is not near after all, and what the store holds of it is to be let
    /// go of. It is inserted later as any other. Of a segment that is not prepared nothing.
    /// </summary>
    void Unprepare(SealedSegment segment)
    {
    }

    /// <summary>
    /// Inserts those rows of a segment that the store lacks, told by their numbers; of tables that number them, when an
    /// INSERT landed in part and its token may be forgotten. No other insert of the segment may be under way.
    /// </summary>
    /// <exception cref="StoreException">
    /// The segment is not known to be whole: count its rows before the next try.
    /// </exception>
    Task InsertMissingAsync(SealedSegment segment, CancellationToken cancellationToken) => throw new StoreException(
        $"{Description}: a segment that landed in part cannot be completed here.", StoreFault.BadData);

    /// <summary>Rows of the segment that the store has.</summary>
    Task<long> CountRowsAsync(TableSchema table, ulong segmentId, CancellationToken cancellationToken);

    /// <summary>
    /// Runs one read-only query and hands its answer out piece by piece; a write is refused by the engine.
    /// </summary>
    /// <param name="query">One statement; its FORMAT clause is honoured.</param>
    /// <param name="limits">What the query may use.</param>
    /// <param name="cancellationToken">Ends the query in the engine.</param>
    /// <exception cref="StoreException">The engine refused or failed; the message is the engine's own.</exception>
    IAsyncEnumerable<ReadOnlyMemory<byte>> QueryAsync(
        string query, QueryLimits limits, CancellationToken cancellationToken);
}
