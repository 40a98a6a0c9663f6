using Google.Protobuf.WellKnownTypes;
using Ingest.Log;
using Ingest.Stores;
using Ingest.Topics;
using Ingest.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Topics;

/// <summary>A pipeline on a directory of its own, with a real log; started again on the same directory at will.</summary>
internal sealed class TopicServer : IAsyncDisposable
{
    private readonly TopicOptions _options;
    private readonly string _store;

    private TopicServer(TopicOptions options, string store) => (_options, _store) = (options, store);

    public string Directory { get; private set; } = System.IO.Directory.CreateTempSubdirectory("ingest-topics-").FullName;

    public IngestPipeline Pipeline { get; private set; } = null!;

    public TopicHub Hub => Pipeline.Topics;

    public static async Task<TopicServer> StartAsync(TopicOptions? options = null, string store = StoreOptions.NullKind)
    {
        var server = new TopicServer(options ?? new TopicOptions(), store);
        await server.OpenAsync();
        return server;
    }

    public static Alert Alert(int number, string kind = "k") =>
        new() { AlertId = $"alert-{number}", Kind = kind, Timestamp = Timestamp.FromDateTimeOffset(DateTimeOffset.UnixEpoch.AddSeconds(number)) };

    public async Task RestartAsync()
    {
        await Pipeline.StopAsync(TimeSpan.FromSeconds(30));
        await Pipeline.DisposeAsync();
        await OpenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Pipeline.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private async Task OpenAsync() => Pipeline = await IngestPipeline.OpenAsync(
        new PipelineOptions
        {
            Log = new LogOptions { DataDirectory = Directory },
            Store = new StoreOptions { Kind = _store },
            Topics = _options,
        },
        NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
}
