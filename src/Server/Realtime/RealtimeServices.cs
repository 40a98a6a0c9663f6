using Ingest.Agents;
using Ingest.Server.Grpc;
using Ingest.Topics;

namespace Ingest.Server.Realtime;

/// <summary>What connections share.</summary>
internal sealed class RealtimeServices(
    RealtimeOptions options, TopicHub topics, Func<AgentRequest, CancellationToken, Task<AgentAnswer>>? askAgent,
    Drain drain, OriginPolicy origins, TimeProvider time,
    ILogger logger)
{
    /// <summary>The settings.</summary>
    public RealtimeOptions Options { get; } = options;

    /// <summary>What is followed.</summary>
    public TopicHub Topics { get; } = topics;

    /// <summary>Asks an agent; null when there are none.</summary>
    public Func<AgentRequest, CancellationToken, Task<AgentAnswer>>? AskAgent { get; } = askAgent;

    /// <summary>Which pages may connect.</summary>
    public OriginPolicy Origins { get; } = origins;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; } = time;

    /// <summary>The log of the server.</summary>
    public ILogger Logger { get; } = logger;

    /// <summary>What is counted.</summary>
    public RealtimeMetrics Metrics { get; } = new();

    /// <summary>Updates that were compressed.</summary>
    public UpdateDeflate Deflate { get; } = new();

    /// <summary>Who is connected.</summary>
    public RealtimeConnections Connections { get; } = new(options, drain, time);
}
