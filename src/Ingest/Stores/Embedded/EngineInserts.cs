using System.Threading.Channels;
using Ingest.Log;

namespace Ingest.Stores.Embedded;

/// <summary>The connections over which segments are inserted, each with a thread of its own.</summary>
/// <remarks>
/// There are two. While the engine compresses and flushes a segment, the next one is read, put in order and parsed over
/// the other; and a table need not wait for another's. At most one is prepared, so that the other connection is left
/// for what is to be inserted now.
/// </remarks>
internal sealed class EngineInserts : IAsyncDisposable
{
    private const int Connections = 2;

    private readonly Connection[] _all;
    private readonly Channel<Connection> _free = Channel.CreateUnbounded<Connection>();
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _gate = new();
    private (SealedSegment Segment, Connection Connection)? _prepared;

    /// <param name="open">Opens a connection; called by its thread, when it is used first.</param>
    /// <param name="first">What each thread does first.</param>
    public EngineInserts(Func<SegmentInsert> open, Action first)
    {
        _all = [.. Enumerable.Range(0, Connections).Select(_ => new Connection(open, first))];
        foreach (Connection connection in _all)
        {
            _free.Writer.TryWrite(connection);
        }
    }

    /// <summary>Begins with a segment that is to be inserted next, if a connection is free.</summary>
    public void Prepare(SealedSegment segment)
    {
        lock (_gate)
        {
            if (_prepared is null && _free.Reader.TryRead(out Connection? connection))
            {
                _prepared = (segment, connection);
                _ = PrepareAsync(connection, segment);
            }
        }
    }

    /// <summary>Lets go of what was prepared of a segment.</summary>
    public void Unprepare(SealedSegment segment)
    {
        if (TakePrepared(segment) is { } connection)
        {
            _ = RunAsync(connection, insert => insert.Unprepare(), CancellationToken.None);
        }
    }

    /// <summary>Inserts a segment; when the task completes the rows are queryable and on disk.</summary>
    /// <exception cref="StoreException">Nothing is known to be inserted.</exception>
    public Task InsertAsync(SealedSegment segment, CancellationToken cancellationToken) =>
        RunAsync(TakePrepared(segment), insert => insert.Run(segment, cancellationToken), cancellationToken);

    /// <summary>Inserts the rows of a segment that the table lacks.</summary>
    /// <exception cref="StoreException">Some of them may have been inserted.</exception>
    public Task InsertMissingAsync(SealedSegment segment, CancellationToken cancellationToken) =>
        RunAsync(TakePrepared(segment), insert => insert.RunMissing(segment), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        _free.Writer.TryComplete();
        foreach (Connection connection in _all)
        {
            await connection.DisposeAsync();
        }

        _closed.Dispose();
    }

    private Connection? TakePrepared(SealedSegment segment)
    {
        lock (_gate)
        {
            if (_prepared is not { } prepared || !ReferenceEquals(prepared.Segment, segment))
            {
                return null;
            }

            _prepared = null;
            return prepared.Connection;
        }
    }

    private async Task PrepareAsync(Connection connection, SealedSegment segment)
    {
        try
        {
            await connection.RunAsync(insert => insert.Prepare(segment, _closed.Token), CancellationToken.None);
        }
        catch (Exception e) when (e is StoreException or OperationCanceledException)
        {
            // It is begun anew when it is inserted, and a fault told then.
        }
    }

    private async Task RunAsync(Connection? connection, Action<SegmentInsert> work, CancellationToken cancellationToken)
    {
        try
        {
            connection ??= await _free.Reader.ReadAsync(cancellationToken);
        }
        catch (ChannelClosedException)
        {
            throw new StoreException("The store is closed.", StoreFault.Unavailable);
        }

        try
        {
            await connection.RunAsync(work, cancellationToken);
        }
        finally
        {
            _free.Writer.TryWrite(connection);
        }
    }

    private sealed class Connection(Func<SegmentInsert> open, Action first) : IAsyncDisposable
    {
        private readonly StoreThread _thread = new("store insert", first);
        private SegmentInsert? _insert;

        public Task RunAsync(Action<SegmentInsert> work, CancellationToken cancellationToken) =>
            _thread.RunAsync(() => work(_insert ??= open()), cancellationToken);

        public async ValueTask DisposeAsync()
        {
            await _thread.RunAsync(() => _insert?.Dispose());
            await _thread.DisposeAsync();
        }
    }
}
