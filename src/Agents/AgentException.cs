namespace Ingest.Agents;

/// <summary>An agent could not do what it was asked; the message is for people.</summary>
public sealed class AgentException : Exception
{
    /// <summary>Makes one.</summary>
    public AgentException(AgentFault fault, string message, Exception? cause = null)
        : base(message, cause) => Fault = fault;

    /// <summary>Why.</summary>
    public AgentFault Fault { get; }
}
