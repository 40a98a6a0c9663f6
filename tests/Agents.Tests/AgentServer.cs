using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Feed;
using Ingest.Log;
using Ingest.Stores;
using Ingest.Topics;
using Ingest.V1;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Agents.Tests;

/// <summary>A pipeline with agents on it, in a directory that can outlive it: all but the transport.</summary>
internal sealed class AgentServer : IAsyncDisposable
{
    private AgentServer(IngestPipeline pipeline, AgentRuntime agents, string directory)
    {
        Pipeline = pipeline;
        Agents = agents;
        Directory = directory;
    }

    public IngestPipeline Pipeline { get; }

    public AgentRuntime Agents { get; }

    public string Directory { get; }

    public static async Task<AgentServer> StartAsync(
        IEnumerable<Func<Agent>> agents, AgentsOptions? options = null, string? directory = null,
        string store = StoreOptions.NullKind, ILoggerFactory? loggers = null, LogOptions? log = null,
        TopicOptions? topics = null)
    {
        directory ??= System.IO.Directory.CreateTempSubdirectory("ingest-agents-").FullName;
        IngestPipeline pipeline = await IngestPipeline.OpenAsync(
            new PipelineOptions
            {
                Log = (log ?? new LogOptions()) with { DataDirectory = directory },
                Store = new StoreOptions { Kind = store },
                Topics = topics ?? new TopicOptions(),
                HoldsForListeners = true,
            },
            loggers ?? NullLoggerFactory.Instance, TimeProvider.System, default);
        options ??= new AgentsOptions();
        options = options with { Eta = options.Eta with { Enabled = false } };
        var runtime = AgentRuntime.Start(
            pipeline, options, directory, loggers ?? NullLoggerFactory.Instance, TimeProvider.System, agents);
        return new AgentServer(pipeline, runtime, directory);
    }

    public AgentStatus Status(string agent) => Agents.Agents.Single(status => status.Name == agent);

    public async Task RunningAsync(string agent) =>
        await Eventually.BeAsync(() => Status(agent).State == AgentState.Running);

    public Task SendAsync(params IEnumerable<GpsPoint> points) =>
        SendAsync(GpsPoint.Descriptor.FullName, new StreamGpsPointsRequest { Points = { points } });

    public Task SendAsync(params IEnumerable<Order> orders) =>
        SendAsync(Order.Descriptor.FullName, new StreamOrdersRequest { Orders = { orders } });

    public Task SendAsync(params IEnumerable<Event> events) =>
        SendAsync(Event.Descriptor.FullName, new StreamEventsRequest { Events = { events } });

    /// <summary>All updates that a topic has, oldest first.</summary>
    public async Task<List<Update>> UpdatesAsync(string topic)
    {
        var updates = new List<Update>();
        if (Pipeline.Topics.Topics.FirstOrDefault(t => t.Name == topic) is not { NextOffset: > 0 } status)
        {
            return updates;
        }

        using Subscription subscription = await Pipeline.Topics.SubscribeAsync(
            new SubscriptionOptions
            {
                Topics = [topic], Position = StartPosition.Earliest, Overflow = OverflowPolicy.Block,
            });
        while (updates.Count == 0 || updates[^1].Offset < status.NextOffset - 1)
        {
            while (subscription.TryRead(out SubscriptionItem item))
            {
                Assert.Null(item.Gap);
                updates.Add(item.Update!.Content);
            }

            if (updates.Count == 0 || updates[^1].Offset < status.NextOffset - 1)
            {
                await subscription.WaitToReadAsync();
            }
        }

        return updates;
    }

    /// <summary>Stops as the server does: agents first.</summary>
    public async Task StopAsync()
    {
        await Agents.StopAsync(TimeSpan.FromSeconds(30));
        await Pipeline.StopAsync(TimeSpan.FromSeconds(30));
        await Agents.DisposeAsync();
        await Pipeline.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private async Task SendAsync(string message, IMessage request)
    {
        RowStream rows = Pipeline.OpenStream(message, "test");
        try
        {
            await rows.BeginTurnAsync(default);
            rows.Append(request.ToByteArray());
            rows.EndTurn();
            await rows.CompleteAsync();
            Assert.Equal(0, rows.RejectedCount);
        }
        finally
        {
            rows.Close();
        }
    }
}
