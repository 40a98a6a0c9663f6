namespace Ingest.Agents;

/// <summary>What an agent is doing.</summary>
public enum AgentState
{
    /// <summary>It loads what it knew, and is given the rows that came since.</summary>
    Starting,

    /// <summary>It runs.</summary>
    Running,

    /// <summary>It runs behind: it is given only the latest row of a key.</summary>
    Lagging,

    /// <summary>It threw, and is left alone for a while.</summary>
    BackingOff,

    /// <summary>It was stopped, or its configuration says that it is not to run.</summary>
    Stopped,
}
