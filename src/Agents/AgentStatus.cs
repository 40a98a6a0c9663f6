namespace Ingest.Agents;

/// <summary>How an agent is.</summary>
public sealed record AgentStatus
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its version.</summary>
    public required string Version { get; init; }

    /// <summary>What it is doing; of several partitions the worst.</summary>
    public required AgentState State { get; init; }

    /// <summary>Tables that it reads.</summary>
    public required IReadOnlyList<string> Tables { get; init; }

    /// <summary>Kinds of task that it can be asked for.</summary>
    public required IReadOnlyList<string> TaskTypes { get; init; }

    /// <summary>Number of its partitions.</summary>
    public required int Partitions { get; init; }

    /// <summary>Keys that it follows now: orders, drivers, campaigns.</summary>
    public required long ActiveSessions { get; init; }

    /// <summary>Rows that it was given since the start.</summary>
    public required long Rows { get; init; }

    /// <summary>Rows that it was not given since a later row of the same key was there.</summary>
    public required long ConflatedRows { get; init; }

    /// <summary>Rows that it was not given since it was too far behind.</summary>
    public required long DroppedRows { get; init; }

    /// <summary>Updates that it emitted since the start.</summary>
    public required long Emitted { get; init; }

    /// <summary>Calls that threw since the start.</summary>
    public required long Failures { get; init; }

    /// <summary>Bytes of blocks that wait for it.</summary>
    public required long QueuedBytes { get; init; }

    /// <summary>What it threw last; empty when it never did.</summary>
    public string LastFault { get; init; } = "";

    /// <summary>When it threw last.</summary>
    public DateTimeOffset? LastFaultAt { get; init; }
}
