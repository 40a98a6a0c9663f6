namespace Ingest.Agents;

/// <summary>Why an agent could not do what it was asked.</summary>
public enum AgentFault
{
    /// <summary>There is no such agent, task type or setting.</summary>
    NotFound,

    /// <summary>What was asked is not valid; the message names the parameter or the key.</summary>
    Invalid,

    /// <summary>Another change was made before: the revision in force is not the one that was expected.</summary>
    Conflict,

    /// <summary>The agent has too much to do, is starting, or is stopped: try again.</summary>
    Unavailable,

    /// <summary>The agent threw.</summary>
    Failed,
}
