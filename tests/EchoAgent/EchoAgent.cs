using Ingest.Agents;

namespace Ingest.EchoAgents;

/// <summary>
/// Emits the properties of every <c>echo</c> event, under its entity's id as the key, to the topic that its
/// <c>entity_type</c> names: so a test over gRPC decides what a server pushes.
/// </summary>
public sealed class EchoAgent : Agent
{
    public EchoAgent() => OnEvent("echo", happened => EmitAsync(happened.EntityType, happened.EntityId, happened.Properties));
}
