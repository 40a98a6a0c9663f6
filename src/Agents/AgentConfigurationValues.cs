using Google.Protobuf.WellKnownTypes;

namespace Ingest.Agents;

/// <summary>The values of an agent's settings at a moment.</summary>
/// <param name="Values">By name, every setting.</param>
/// <param name="Revision">Counts the changes; 1 before the first.</param>
public sealed record AgentConfigurationValues(Struct Values, long Revision);
