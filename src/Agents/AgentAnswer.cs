using Google.Protobuf.WellKnownTypes;

namespace Ingest.Agents;

/// <summary>What an agent answered.</summary>
/// <param name="Agent">Name of the agent.</param>
/// <param name="Content">The answer.</param>
public sealed record AgentAnswer(string Agent, Struct Content);
