using Ingest.Schema;
using Ingest.Stores;
using Microsoft.Extensions.Logging;

namespace Ingest;

/// <summary>
/// Keeps the tables of <c>Ingest:Schemas</c> as the images say: a new table, or one with more columns, takes rows
/// without a restart; what would change or remove something is refused, and what was in force stays.
/// </summary>
/// <remarks>
/// Files are looked at by time and length every period, and read when one has changed; a reload that is asked for
/// (SIGHUP) reads all. A version is in the store, unless that is away, and remembered on disk before its first row.
/// </remarks>
public sealed class SchemaReloader : IAsyncDisposable
{
    private readonly SchemaFiles _files;
    private readonly SchemaHistory _history;
    private readonly TableRegistry _tables;
    private readonly Func<TableSchema, IngestTable> _newTable;
    private readonly IStore _store;
    private readonly ILogger _logger;
    private readonly StoreThread _thread = new("schemas");
    private readonly SemaphoreSlim _one = new(1);
    private readonly CancellationTokenSource _stop = new();
    private volatile SchemaStatus _status;
    private Task _watching = Task.CompletedTask;
    private string _stamp;

    internal SchemaReloader(
        SchemaFiles files, SchemaHistory history, TableRegistry tables, Func<TableSchema, IngestTable> newTable,
        IStore store, ILogger logger, SchemaStart start)
    {
        _files = files;
        _history = history;
        _tables = tables;
        _newTable = newTable;
        _store = store;
        _logger = logger;
        _stamp = start.Stamp;
        _status = new SchemaStatus(new Dictionary<string, string>(), [], 0);
        Show(start.Refused);
    }

    /// <summary>How the tables stand.</summary>
    public SchemaStatus Status => _status;

    /// <summary>Reads the images anew, changed or not. Reloads run one after the other.</summary>
    /// <returns>How the tables stand after it.</returns>
    public async Task<SchemaStatus> ReloadAsync(CancellationToken cancellationToken = default)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            // Taken first: a file that changes while it is read is read again.
            string stamp = await _thread.RunAsync(_files.Stamp, cancellationToken);
            SchemaReading reading = await _thread.RunAsync(_files.Read, cancellationToken);
            var refused = new List<string>(reading.Faults);
            foreach ((TableSchema table, string path) in reading.Tables.Values)
            {
                if (await ApplyAsync(table, cancellationToken) is { } refusal)
                {
                    refused.Add($"{path}: {refusal}");
                }
            }

            // A file that cannot be read says nothing of its tables.
            refused.AddRange(_status.Tables.Keys.Where(name => reading.Faults.Count == 0 && !reading.Tables.ContainsKey(name))
                .Select(name => $"table {name}: is in none of the images any more; it takes rows until a restart"));
            foreach (string refusal in refused)
            {
                _logger.SchemaRefused(refusal);
            }

            Show(refused);
            _stamp = stamp;
            return _status;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>As <see cref="ReloadAsync"/>, without waiting for it; what goes wrong is logged.</summary>
    public void RequestReload() => _ = Task.Run(ReloadOrLogAsync);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        await _thread.DisposeAsync();
        _one.Dispose();
        _stop.Dispose();
    }

    /// <summary>Begins to look at the files; not at all when the period is zero.</summary>
    internal void Start(TimeSpan period, TimeProvider time)
    {
        if (period > TimeSpan.Zero)
        {
            _watching = Task.Run(() => WatchAsync(period, time));
        }
    }

    private async Task WatchAsync(TimeSpan period, TimeProvider time)
    {
        using var timer = new PeriodicTimer(period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                if (await _thread.RunAsync(_files.Stamp, _stop.Token) != _stamp)
                {
                    await ReloadOrLogAsync();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async Task ReloadOrLogAsync()
    {
        try
        {
            await ReloadAsync(_stop.Token);
        }
        catch (Exception e) when (e is not (OperationCanceledException or ObjectDisposedException))
        {
            _logger.ReloadFailed(e);
        }
    }

    /// <summary>Puts a table in force as an image says; gives the reason when it cannot be.</summary>
    private async Task<string?> ApplyAsync(TableSchema wanted, CancellationToken cancellationToken)
    {
        IngestTable? current = _tables.All.GetValueOrDefault(wanted.Name);
        if (current?.Schema.HasContentOf(wanted) == true)
        {
            return null;
        }

        try
        {
            SchemaChoice choice = await _thread.RunAsync(() => _history.Choose(wanted), cancellationToken);
            if (choice.Refusal is not null)
            {
                return choice.Refusal;
            }

            await EnsureAsync(choice.Table, cancellationToken);
            await _thread.RunAsync(
                () =>
                {
                    _history.Remember(choice);
                    _tables.Set(
                        current?.Evolve(choice.Table, _newTable) ?? _newTable(choice.Table));
                },
                cancellationToken);
            LogInForce(_logger, choice.Table);
            return null;
        }
        catch (StoreException e)
        {
            return $"table {wanted.Name}: the store refuses it: {e.Message}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"table {wanted.Name}: could not be remembered: {e.Message}";
        }
    }

    // A store that is away is seen to before the first insert.
    private async Task EnsureAsync(TableSchema table, CancellationToken cancellationToken)
    {
        try
        {
            await _store.EnsureTableAsync(table, cancellationToken);
        }
        catch (StoreException e) when (e.Fault == StoreFault.Unavailable)
        {
            _logger.StoreAway(e.Message);
        }
    }

    internal static void LogInForce(ILogger logger, TableSchema table) => logger.TableInForce(
        table.Name, table.Columns.Count, Convert.ToHexStringLower(table.Fingerprint.Span));

    private void Show(IReadOnlyList<string> refused)
    {
        var tables = _tables.All.Values.Select(t => t.Schema)
            .Where(t => !BuiltInTables.IsTable(t.Name))
            .ToDictionary(t => t.Name, t => Convert.ToHexStringLower(t.Fingerprint.Span), StringComparer.Ordinal);
        _status = new SchemaStatus(tables, refused, _status.Reloads + 1);
    }
}
