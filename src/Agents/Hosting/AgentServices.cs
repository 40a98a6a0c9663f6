using Ingest.Feed;
using Ingest.Schema;
using Ingest.Stores;
using Microsoft.Extensions.Logging;

namespace Ingest.Agents.Hosting;

/// <summary>What all agents of a server share.</summary>
internal sealed record AgentServices
{
    public required AgentsOptions Options { get; init; }

    /// <summary>Directory of what agents keep: a folder each.</summary>
    public required string Directory { get; init; }

    public required CommittedFeed Feed { get; init; }

    public required IStore Store { get; init; }

    /// <summary>The table of a name, in the version that is in force; null when there is none.</summary>
    public required Func<string, TableSchema?> FindTable { get; init; }

    public required IAgentOutputs Outputs { get; init; }

    public required Metrics Metrics { get; init; }

    public required FileThread Files { get; init; }

    public required ILoggerFactory Loggers { get; init; }

    public required TimeProvider Time { get; init; }
}
