using Ingest.Feed;
using Ingest.V1;

namespace Ingest.Agents.Hosting;

/// <summary>What an agent reads of a table, and what its rows are given to.</summary>
internal sealed class AgentInput(string table, string? key)
{
    public string Table => table;

    /// <summary>Column by which rows belong to a partition; null: all are partition 0's.</summary>
    public string? Key => key;

    /// <summary>Whether rows go to <see cref="Agent.OnRowsAsync"/>.</summary>
    public bool TakesRows { get; set; }

    /// <summary>Whether the latest row of a key is enough when the agent is far behind.</summary>
    public bool Conflates { get; set; }

    /// <summary>What is called for each row.</summary>
    public List<Func<CommittedBlock, int, ValueTask>> Handlers { get; } = [];

    /// <summary>What is called for each event, by <c>event_type</c>.</summary>
    public Dictionary<string, Func<Event, ValueTask>> EventHandlers { get; } = new(StringComparer.Ordinal);
}
