using System.Threading.Channels;
using Ingest.Log;
using Microsoft.Extensions.Logging;

namespace Ingest.Stores;

/// <summary>Carries sealed segments from the log to the store and tells the log what is stored.</summary>
/// <remarks>
/// Tables and shards are written side by side, a table's segments in a shard one after the other. What waits is a record a segment; its bytes
/// are on the log's disk, whose limit bounds the queue.
/// </remarks>
public sealed class StoreWriter : IAsyncDisposable
{
    private readonly ChannelReader<SealedSegment> _segments;
    private readonly Func<SealedSegment, StoreTable> _newTable;
    private readonly StoreBacklog _backlog;
    private readonly Dictionary<(string Table, int Lane), StoreTable> _tables = [];
    private readonly IStore _store;
    private readonly CancellationTokenSource _stop = new();
    private readonly StoreThread _releases = new("store release"); // Deleting a segment flushes.
    private Task _running = Task.CompletedTask;

    /// <summary>Makes a writer; <see cref="Start"/> sets it going.</summary>
    /// <param name="store">Where segments go.</param>
    /// <param name="segments">Sealed segments; completed when the log has stopped.</param>
    /// <param name="release">
    /// Told of each segment that the store has, or that was set aside: the log forgets it. Called by a thread of its own.
    /// </param>
    /// <param name="quarantine">Directory for segments that the store refuses for their data.</param>
    /// <param name="options">Waits between tries.</param>
    /// <param name="logger">Where faults are told.</param>
    /// <param name="time">The clock.</param>
    public StoreWriter(
        IStore store, ChannelReader<SealedSegment> segments, Action<SealedSegment> release, string quarantine,
        StoreOptions options, ILogger logger, TimeProvider time)
    {
        _store = store;
        _segments = segments;
        _backlog = new StoreBacklog(time);
        _newTable = segment => new StoreTable(
            segment.Table, store, done => _releases.RunAsync(() => release(done)), quarantine, _backlog, options, logger, time, _stop.Token);
    }

    /// <summary>What was done and what waits.</summary>
    public StoreWriterStatus Status => _backlog.Read();

    /// <summary>Begins to write.</summary>
    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>
    /// Writes what is sealed, until nothing is left and the log has stopped, or until the time is over. What is left
    /// stays in the log and is written by the next run.
    /// </summary>
    public async Task StopAsync(TimeSpan grace)
    {
        _stop.CancelAfter(grace);
        await _running;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        await _releases.DisposeAsync();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await foreach (SealedSegment segment in _segments.ReadAllAsync(_stop.Token))
            {
                _backlog.Add(segment);
                (string, int) key = (segment.Table.Name, _store.LaneOf(segment));
                if (!_tables.TryGetValue(key, out StoreTable? table))
                {
                    _tables.Add(key, table = _newTable(segment));
                }

                table.Add(segment);
            }
        }
        catch (OperationCanceledException)
        {
            // The time is over.
        }

        await Task.WhenAll(_tables.Values.Select(table => table.CompleteAsync()));
    }
}
