using Google.Protobuf.WellKnownTypes;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Topics;
using Ingest.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Topics;

/// <summary>
/// Topics on a real log in a directory of their own, and a store; stopped and killed and started again at will.
/// </summary>
internal sealed class TopicServer : IAsyncDisposable
{
    private readonly string _root = System.IO.Directory.CreateTempSubdirectory("ingest-topics-").FullName;
    private readonly TopicOptions _options;
    private readonly IStore _store;
    private readonly ILogFiles _disk;
    private readonly TimeProvider _time;
    private SegmentLog _log = null!;
    private StoreWriter _writer = null!;
    private Metrics _metrics = null!;
    private int _runs;

    private TopicServer(TopicOptions options, IStore store, ILogFiles disk, TimeProvider time)
    {
        (_options, _store, _disk, _time) = (options, store, disk, time);
        Data = Path.Combine(_root, "data");
    }

    public string Data { get; private set; }

    public TopicHub Hub { get; private set; } = null!;

    public StoreWriterStatus Stored => _writer.Status;

    public LogMetrics Log => _log.Metrics;

    public static async Task<TopicServer> StartAsync(
        TopicOptions? options = null, IStore? store = null, ILogFiles? disk = null, TimeProvider? time = null)
    {
        var server = new TopicServer(
            options ?? new TopicOptions(), store ?? new NullStore(), disk ?? DiskFiles.Instance,
            time ?? TimeProvider.System);
        await server.OpenAsync();
        return server;
    }

    public static Alert Alert(int number, Severity severity = Severity.Info) => new()
    {
        AlertId = $"alert-{number}", Kind = "fatigue", Severity = severity,
        Timestamp = Timestamp.FromDateTimeOffset(DateTimeOffset.UnixEpoch.AddSeconds(number)),
    };

    /// <summary>The token of a place in the alerts.</summary>
    public static string TokenAt(string epoch, long offset) =>
        System.Text.Encoding.ASCII.GetString(new ResumeToken([new TopicPlace("alerts", epoch, offset)]).Text);

    /// <summary>Publishes alerts that are numbered from a first; key by key in turn.</summary>
    public async Task<TopicUpdate[]> PublishAsync(int first, int count, int keys = 1, string topic = "alerts")
    {
        Task<TopicUpdate>[] updates =
        [
            .. Enumerable.Range(first, count)
                .Select(n => Hub.PublishAsync(topic, $"key-{n % keys}", Alert(n, (Severity)(1 + (n % 3)))).AsTask()),
        ];
        return await Task.WhenAll(updates);
    }

    public async Task<Subscription> SubscribeAsync(
        StartPosition position = StartPosition.New, OverflowPolicy overflow = OverflowPolicy.Block, string token = "",
        string topic = "alerts", Filter? filter = null, params string[] keys) =>
        await Hub.SubscribeAsync(new SubscriptionOptions
        {
            Topics = [topic], Keys = keys, Overflow = overflow, ResumeToken = token, Filter = filter,
            Position = token.Length > 0 ? StartPosition.Unspecified : position,
        });

    /// <summary>Completes when the store has all that was published.</summary>
    public async Task StoredAsync()
    {
        await _log.SealAsync();
        await Tests.Log.Eventually.BeAsync(() => Hub.Topics.All(topic => topic.StoredOffset == topic.NextOffset));
    }

    /// <summary>Stops as SIGTERM does, and starts again.</summary>
    public async Task RestartAsync()
    {
        await CloseAsync(TimeSpan.FromSeconds(30));
        await OpenAsync();
    }

    /// <summary>
    /// Starts again on what was on the disk at this moment, while nothing was being published: as after a kill, without
    /// what a stop would have written.
    /// </summary>
    /// <param name="isLost">Files that are lost besides; none.</param>
    public async Task KillAsync(Func<string, bool>? isLost = null)
    {
        string image = Path.Combine(_root, $"data-{++_runs}");
        Copy(Data, image, isLost ?? (_ => false));
        await CloseAsync(TimeSpan.Zero);
        System.IO.Directory.Delete(Data, recursive: true);
        Data = image;
        await OpenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync(TimeSpan.Zero);
        System.IO.Directory.Delete(_root, recursive: true);
    }

    private async Task CloseAsync(TimeSpan grace)
    {
        await Hub.StopAsync();
        await _log.StopAsync();
        await _writer.StopAsync(grace);
        await Hub.DisposeAsync();
        await _writer.DisposeAsync();
        await _log.DisposeAsync();
        _metrics.Dispose();
    }

    private async Task OpenAsync()
    {
        TableSchema[] tables = [.. PayloadKind.All.Select(kind => TableSchema.FromDescriptor(kind.Row))];
        var options = new LogOptions { DataDirectory = Data, SegmentAge = TimeSpan.FromMilliseconds(20) };
        _log = await SegmentLog.OpenAsync(options, tables, NullLogger.Instance, _time, _disk, default);
        _writer = new StoreWriter(
            _store, _log.Sealed, _log.Release, Path.Combine(Data, "quarantine"), new StoreOptions(),
            NullLogger.Instance, _time);
        foreach (TableSchema table in _metrics is null ? tables : [])
        {
            await _store.EnsureTableAsync(table, default);
        }

        _metrics = new Metrics();
        Hub = new TopicHub(
            _options, Path.Combine(Data, "topics"), _disk, kind => TableOf(tables, kind), _store, _metrics,
            NullLogger.Instance, _time);
        await Hub.OpenAsync(_log.Feed.Recovered, default);
        _writer.Start();
    }

    private IngestTable TableOf(TableSchema[] tables, PayloadKind kind)
    {
        TableSchema table = tables.Single(table => table.Name == kind.Table);
        return new IngestTable(table, _log.Lane(table));
    }

    private static void Copy(string from, string to, Func<string, bool> isLost)
    {
        System.IO.Directory.CreateDirectory(to);
        foreach (string directory in System.IO.Directory.GetDirectories(from))
        {
            Copy(directory, Path.Combine(to, Path.GetFileName(directory)), isLost);
        }

        foreach (string file in System.IO.Directory.GetFiles(from)
            .Where(f => Path.GetFileName(f) is not "lock" && !isLost(f)))
        {
            try
            {
                File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
            }
            catch (FileNotFoundException)
            {
                // Stored and deleted this moment.
            }
        }
    }
}
