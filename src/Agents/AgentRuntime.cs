using Google.Protobuf.WellKnownTypes;
using Ingest.Agents.Delivery;
using Ingest.Agents.Hosting;
using Ingest.Agents.Loading;
using Microsoft.Extensions.Logging;

namespace Ingest.Agents;

/// <summary>The agents of a server: gives them rows, asks them, configures them.</summary>
public sealed class AgentRuntime : IAsyncDisposable
{
    private readonly IngestPipeline _pipeline;
    private readonly AgentHost[] _hosts;
    private readonly Metrics _metrics = new();
    private readonly FileThread _files = new();
    private Task? _stopped;

    private AgentRuntime(
        IngestPipeline pipeline, AgentsOptions options, string dataDirectory, ILoggerFactory loggers, TimeProvider time,
        IAgentOutputs outputs, IEnumerable<Func<Agent>> own)
    {
        _pipeline = pipeline;
        var services = new AgentServices
        {
            Options = options,
            Directory = Path.Combine(dataDirectory, "agents"),
            Feed = pipeline.Log.Feed,
            Store = pipeline.Store,
            FindTable = pipeline.FindTable,
            Outputs = outputs,
            Metrics = _metrics,
            Files = _files,
            Loggers = loggers,
            Time = time,
        };
        ILogger logger = loggers.CreateLogger<AgentRuntime>();
        IEnumerable<Func<Agent>> agents = options.Enabled
            ? [.. BuiltIn(options), .. AgentAssemblies.Load(options.Assemblies, logger), .. own]
            : [];
        _hosts = [.. agents.Select(make => new AgentHost(make, services))];
        if (_hosts.GroupBy(host => host.Name, StringComparer.Ordinal)
            .FirstOrDefault(names => names.Count() > 1) is { } twice)
        {
            throw new AgentException(AgentFault.Invalid, $"there are two agents of the name {twice.Key}");
        }

        _metrics.Watch(() => Agents);
    }

    /// <summary>The agents, in the order of their names.</summary>
    public IReadOnlyList<AgentStatus> Agents =>
        [.. _hosts.Select(host => host.Status).OrderBy(status => status.Name, StringComparer.Ordinal)];

    /// <summary>
    /// Makes the agents and starts them; each catches up by itself, and none keeps another or the server waiting.
    /// </summary>
    /// <param name="pipeline">The pipeline, opened with <see cref="PipelineOptions.HoldsForListeners"/>.</param>
    /// <param name="options">Settings.</param>
    /// <param name="dataDirectory">The server's data directory; agents keep theirs in <c>agents</c> below it.</param>
    /// <param name="loggers">Where faults are told.</param>
    /// <param name="time">The clock.</param>
    /// <param name="own">More agents, beside the built-in ones and those of assemblies.</param>
    /// <exception cref="AgentException">An assembly cannot be loaded, or two agents have one name.</exception>
    public static AgentRuntime Start(
        IngestPipeline pipeline, AgentsOptions options, string dataDirectory, ILoggerFactory loggers, TimeProvider time,
        params IEnumerable<Func<Agent>> own) =>
        Start(pipeline, options, dataDirectory, loggers, time, new TopicOutputs(pipeline.Topics), own);

    internal static AgentRuntime Start(
        IngestPipeline pipeline, AgentsOptions options, string dataDirectory, ILoggerFactory loggers, TimeProvider time,
        IAgentOutputs outputs, IEnumerable<Func<Agent>> own)
    {
        var runtime = new AgentRuntime(pipeline, options, dataDirectory, loggers, time, outputs, own);
        foreach (AgentHost host in runtime._hosts)
        {
            host.Start();
        }

        pipeline.Log.Feed.Settle();
        return runtime;
    }

    /// <summary>Asks an agent.</summary>
    /// <exception cref="AgentException">
    /// No agent knows the task type, or the one that is named does not; it refuses, has too much to do, or fails.
    /// </exception>
    public Task<AgentAnswer> RequestAsync(AgentRequest request, CancellationToken cancellationToken)
    {
        AgentHost? host = request.Agent.Length > 0
            ? Find(request.Agent)
            : _hosts.FirstOrDefault(h => h.TaskTypes.Contains(request.TaskType));
        if (host is null || !host.TaskTypes.Contains(request.TaskType))
        {
            string[] known = [.. (host is null ? _hosts.SelectMany(h => h.TaskTypes) : host.TaskTypes).Distinct()];
            throw new AgentException(
                AgentFault.NotFound,
                $"no agent knows the task type '{request.TaskType}'; known are: "
                + (known.Length == 0 ? "none" : string.Join(", ", known)));
        }

        return host.RequestAsync(request, cancellationToken);
    }

    /// <summary>The settings of an agent that can be changed while it runs.</summary>
    /// <exception cref="AgentException">There is no such agent.</exception>
    public IReadOnlyList<AgentSetting> SettingsOf(string agent) => Find(agent).Configuration.Settings;

    /// <summary>The values of an agent's settings.</summary>
    /// <exception cref="AgentException">There is no such agent.</exception>
    public AgentConfigurationValues ConfigurationOf(string agent) => Find(agent).Configuration.Current;

    /// <summary>Changes an agent's settings while it runs; they hold after a restart too.</summary>
    /// <param name="agent">Name of the agent.</param>
    /// <param name="changes">New values by name, null for the default; all are taken or none.</param>
    /// <param name="expectedRevision">The revision that the change is meant for; 0 for any.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="AgentException">There is no such agent or key, or a value is not valid.</exception>
    public Task<AgentConfigurationValues> UpdateConfigurationAsync(
        string agent, Struct changes, long expectedRevision, CancellationToken cancellationToken) =>
        Find(agent).Configuration.UpdateAsync(changes, expectedRevision, cancellationToken);

    /// <summary>
    /// Has what is committed handled, saves, and stops the agents; to be called while the log still takes their
    /// updates. What is not done in time is given again at the next start.
    /// </summary>
    public Task StopAsync(TimeSpan grace) => _stopped ??= StopOnceAsync(grace);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero);
        _metrics.Dispose();
        foreach (AgentHost host in _hosts)
        {
            host.Dispose();
        }
    }

    private async Task StopOnceAsync(TimeSpan grace)
    {
        using var late = new CancellationTokenSource(grace);
        await Task.WhenAll(_hosts.Select(host => host.StopAsync(late.Token)));
        _files.Dispose();
    }

    private AgentHost Find(string agent) => _hosts.FirstOrDefault(host => host.Name == agent)
        ?? throw new AgentException(
            AgentFault.NotFound,
            $"there is no agent '{agent}'; there are: {string.Join(", ", _hosts.Select(h => h.Name))}");

    private static IEnumerable<Func<Agent>> BuiltIn(AgentsOptions options)
    {
        if (options.Eta.Enabled)
        {
            yield return () => new EtaAgent();
        }
    }
}
