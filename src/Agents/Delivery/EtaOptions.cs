namespace Ingest.Agents.Delivery;

/// <summary>Settings of the agent for times of arrival that hold for the whole run.</summary>
public sealed record EtaOptions
{
    /// <summary>Whether it runs; default true.</summary>
    public bool Enabled { get; init; } = true;
}
