using Ingest.Feed;

namespace Ingest.Agents.Hosting;

/// <summary>A block that waits for a partition, or what is left of it after conflation.</summary>
internal sealed class Mail(CommittedBlock block, AgentInput input)
{
    public CommittedBlock Block => block;

    public AgentInput Input => input;

    /// <summary>The rows to give, in order; null when nobody has looked yet which are the partition's.</summary>
    public int[]? Rows { get; set; }
}
