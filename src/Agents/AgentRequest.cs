using Google.Protobuf.WellKnownTypes;

namespace Ingest.Agents;

/// <summary>A task for an agent.</summary>
/// <param name="Query">What is asked, in words; may be empty.</param>
/// <param name="TaskType">
/// The kind of task, by which the agent is found; one of <see cref="AgentStatus.TaskTypes"/>.
/// </param>
/// <param name="Parameters">What the task needs to know.</param>
public sealed record AgentRequest(string Query, string TaskType, Struct Parameters)
{
    /// <summary>Name of the agent that is asked; empty for any that knows the task type.</summary>
    public string Agent { get; init; } = "";
}
