using Google.Protobuf.WellKnownTypes;
using Ingest.Agents;
using Ingest.V1;

namespace Ingest.Server.Services;

/// <summary>What agents say of themselves, as messages.</summary>
internal static class AgentMessages
{
    public static AgentInfo Of(AgentStatus agent)
    {
        var info = new AgentInfo
        {
            Name = agent.Name,
            Version = agent.Version,
            Phase = PhaseOf(agent.State),
            Tables = { agent.Tables },
            TaskTypes = { agent.TaskTypes },
            Partitions = agent.Partitions,
            ActiveSessions = agent.ActiveSessions,
            Rows = agent.Rows,
            ConflatedRows = agent.ConflatedRows,
            DroppedRows = agent.DroppedRows,
            Emitted = agent.Emitted,
            Failures = agent.Failures,
            QueuedBytes = agent.QueuedBytes,
            LastFault = agent.LastFault,
        };
        if (agent.LastFaultAt is { } at)
        {
            info.LastFaultAt = Timestamp.FromDateTimeOffset(at);
        }

        return info;
    }

    public static AgentConfig Of(string agent, AgentConfigurationValues values) =>
        new() { Agent = agent, Values = values.Values, Revision = values.Revision };

    public static GetAgentConfigResponse ConfigOf(AgentRuntime agents, string agent) => new()
    {
        Config = Of(agent, agents.ConfigurationOf(agent)),
        Settings =
        {
            agents.SettingsOf(agent).Select(setting => new AgentSettingInfo
            {
                Name = setting.Name, Description = setting.Description, DefaultValue = setting.DefaultValue,
            }),
        },
    };

    private static AgentPhase PhaseOf(AgentState state) => state switch
    {
        AgentState.Starting => AgentPhase.Starting,
        AgentState.Running => AgentPhase.Running,
        AgentState.Lagging => AgentPhase.Lagging,
        AgentState.BackingOff => AgentPhase.BackingOff,
        _ => AgentPhase.Stopped,
    };
}
