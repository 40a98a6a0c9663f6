using Ingest.Admission;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.ClickHouse;
using Ingest.Stores.Embedded;
using Ingest.Topics;
using Ingest.V1;
using Microsoft.Extensions.Logging;

namespace Ingest;

/// <summary>Log, store and tables, joined: the way of a row from a stream to ClickHouse.</summary>
public sealed class IngestPipeline : IAsyncDisposable
{
    private readonly TableRegistry _tables;
    private readonly DeadLetters _deadLetters;
    private readonly StoreWriter _writer;
    private readonly TimeProvider _time;

    private IngestPipeline(
        SegmentLog log, IStore store, StoreWriter writer, AdmissionControl admission, TableRegistry tables,
        SchemaReloader schemas, TimeProvider time, TopicOptions topics, ILogger<TopicHub> topicLogger)
    {
        Admission = admission;
        Log = log;
        Store = store;
        Schemas = schemas;
        _writer = writer;
        _time = time;
        _tables = tables;
        _deadLetters = new DeadLetters(tables.OfMessage(DeadLetter.Descriptor.FullName));
        Topics = new TopicHub(
            topics, Path.Combine(log.Options.DataDirectory, "topics"), log.Disk,
            kind => tables.OfMessage(kind.Row.FullName), store, Metrics, topicLogger, time);
    }

    /// <summary>
    /// Names of the tables that producers may write: all but dead letters and updates, which are the server's own.
    /// </summary>
    public IEnumerable<string> ProducerTables => _tables.ProducerTables;

    /// <summary>The tables of <c>Ingest:Schemas</c>.</summary>
    public SchemaReloader Schemas { get; }

    /// <summary>The log.</summary>
    public SegmentLog Log { get; }

    /// <summary>Where segments go.</summary>
    public IStore Store { get; }

    /// <summary>What agents conclude, for subscribers.</summary>
    public TopicHub Topics { get; }

    /// <summary>What is taken, slowed and refused.</summary>
    public AdmissionControl Admission { get; }

    /// <summary>How the store keeps up.</summary>
    public StoreWriterStatus StoreStatus => _writer.Status;

    /// <summary>What the pipeline measures.</summary>
    public Metrics Metrics { get; } = new();

    /// <summary>
    /// Opens the log, recovers what an earlier run left, and begins to feed the store.
    /// </summary>
    /// <exception cref="DataDirectoryInUseException">Another process has the data directory.</exception>
    /// <exception cref="SchemaException">An image cannot be read, or has a message that can be no table.</exception>
    /// <exception cref="StoreException">The store cannot be opened; the message is for people.</exception>
    /// <exception cref="IOException">The data directory cannot be read or written.</exception>
    public static async Task<IngestPipeline> OpenAsync(
        PipelineOptions options, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        string data = options.Log.DataDirectory;
        if (options.Store.Kind == StoreOptions.EmbeddedKind)
        {
            _ = Task.Run(() => EmbeddedStore.Load(options.Store), CancellationToken.None);
        }

        ILogger schemaLogger = loggers.CreateLogger<SchemaReloader>();
        var files = new SchemaFiles(options.Schemas);
        var history = new SchemaHistory(Path.Combine(data, "schemas"), DiskFiles.Instance, schemaLogger);
        ILogger logLogger = loggers.CreateLogger<SegmentLog>();

        // Before the store: its lock keeps a second server away from the engine's files too.
        DataDirectory directory = await Task.Run(
            () => DataDirectory.Open(DiskFiles.Instance, data, logLogger), cancellationToken);

        // The engine takes longest: it starts while schemas are read, and makes its tables while the log is verified and
        // code is made that decodes their rows.
        Task<IStore> opening = Task.Run(() => OpenStoreAsync(options.Store, data, time), CancellationToken.None);
        Task ensuring = Task.CompletedTask;
        SegmentLog? log = null;
        try
        {
            SchemaStart start = await Task.Run(() => SchemaStart.Read(files, history), cancellationToken);
            ILogger storeLogger = loggers.CreateLogger<StoreWriter>();
            ensuring = EnsureTablesAsync(start.Tables, opening, storeLogger, cancellationToken);
            LogOptions logOptions = options.Store.Kind == StoreOptions.EmbeddedKind
                ? options.Log.WithQueue(LogOptions.QueueBytesBesideEngine)
                : options.Log;
            log = await SegmentLog.OpenAsync(logOptions, directory, start.Tables, logLogger, time, cancellationToken);
            SegmentLog opened = log;
            IStore store = await opening;
            var writer = new StoreWriter(
                store, log.Sealed, log.Release, Path.Combine(data, "quarantine"), options.Store, storeLogger, time);
            var admission = new AdmissionControl(
                options.Admission, log, loggers.CreateLogger<AdmissionControl>(), time);
            IngestTable NewTable(TableSchema schema)
            {
                Lane lane = opened.Lane(schema);
                return new IngestTable(schema, lane, admission.MaxRequestRows(lane.EmptyRowBytes));
            }

            var tables = new TableRegistry(start.Tables.Select(NewTable));
            await ensuring;
            await Task.Run(() => Remember(start, history, schemaLogger), cancellationToken);
            var schemas = new SchemaReloader(files, history, tables, NewTable, store, schemaLogger, start);
            if (options.HoldsForListeners)
            {
                log.Feed.Hold();
            }

            var pipeline = new IngestPipeline(
                log, store, writer, admission, tables, schemas, time, options.Topics, loggers.CreateLogger<TopicHub>());
            await pipeline.Topics.OpenAsync(log.Feed.Recovered, cancellationToken);
            writer.Start();
            schemas.Start(options.Schemas.Count > 0 ? options.SchemaReloadPeriod : TimeSpan.Zero, time);
            return pipeline;
        }
        catch
        {
            await ensuring.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await CloseAsync(opening);
            await (log?.DisposeAsync() ?? default);
            directory.Dispose();
            throw;
        }
    }

    /// <summary>Closes a store that may not have opened; why not is told by whoever waited for it, or matters no more.</summary>
    private static async Task CloseAsync(Task<IStore> opening)
    {
        await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (opening.IsCompletedSuccessfully)
        {
            await opening.Result.DisposeAsync();
        }
    }

    private static void Remember(SchemaStart start, SchemaHistory history, ILogger logger)
    {
        foreach (SchemaChoice choice in start.Choices)
        {
            history.Remember(choice);
            if (!BuiltInTables.IsTable(choice.Table.Name))
            {
                SchemaReloader.LogInForce(logger, choice.Table);
            }
        }

        foreach (string refusal in start.Refused)
        {
            logger.SchemaRefused(refusal);
        }
    }

    private static async Task<IStore> OpenStoreAsync(StoreOptions options, string data, TimeProvider time) =>
        options.Kind switch
        {
            StoreOptions.NullKind => new NullStore(),
            StoreOptions.ClickHouseKind => await ClickHouseStore.OpenAsync(
                options.ClickHouse, options.DeduplicationWindow, Path.Combine(data, "placements"), time),
            _ => await EmbeddedStore.OpenAsync(Path.Combine(data, "store"), options),
        };

    /// <summary>
    /// Makes the tables now, so that a schema that the store refuses is told at the start. A store that is away keeps
    /// no server from starting: rows wait in the log, and tables are made before the first insert.
    /// </summary>
    private static async Task EnsureTablesAsync(
        IReadOnlyList<TableSchema> tables, Task<IStore> opening, ILogger logger, CancellationToken cancellationToken)
    {
        IStore store = await opening;
        try
        {
            await store.EnsureTablesAsync(tables, cancellationToken);
        }
        catch (StoreException e) when (e.Fault == StoreFault.Unavailable)
        {
            logger.StoreAway(e.Message);
        }
    }

    /// <summary>The table of a name, in the version that is in force; null when there is none.</summary>
    public TableSchema? FindTable(string name) => _tables.All.GetValueOrDefault(name)?.Current.Schema;

    /// <summary>Begins a stream of rows into the table of a message.</summary>
    /// <param name="message">Full name of the message.</param>
    /// <param name="sender">Whose share it takes: a key that all streams of one sender have.</param>
    /// <returns>The stream; it has to be closed.</returns>
    public RowStream OpenStream(string message, string sender)
    {
        IngestTable table = _tables.OfMessage(message);
        return new(table, _deadLetters, Metrics, _time, Admission.Join(sender, table.Lane, _deadLetters.Lane));
    }

    /// <summary>Makes a session of a producer; it has to be opened and closed.</summary>
    /// <param name="table">Name of the table.</param>
    /// <param name="producerId">The producer's stable id; empty for at least once.</param>
    /// <param name="epoch">Its session number.</param>
    /// <param name="sender">Whose share it takes.</param>
    /// <param name="wake">Called when a watermark has advanced, or the session is over; from lanes' threads.</param>
    /// <returns>Null when there is no such table, or none that producers may write.</returns>
    public ProducerStream? OpenProducer(string table, string producerId, long epoch, string sender, Action wake) =>
        _tables.FindForProducer(table) is { } found
            ? new ProducerStream(
                found, _deadLetters, Metrics, _time, producerId, epoch, wake,
                Admission.Join(sender, found.Lane, _deadLetters.Lane))
            : null;

    /// <summary>
    /// Makes durable what was received, seals, and hands the store what it takes in the time; the rest waits in the log
    /// for the next start.
    /// </summary>
    public async Task StopAsync(TimeSpan timeout)
    {
        await Topics.StopAsync();
        await Log.StopAsync();
        await _writer.StopAsync(timeout);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Schemas.DisposeAsync();
        await StopAsync(TimeSpan.Zero);
        await Topics.DisposeAsync();
        Admission.Dispose();
        await _writer.DisposeAsync();
        await Store.DisposeAsync();
        await Log.DisposeAsync();
        Metrics.Dispose();
    }
}
