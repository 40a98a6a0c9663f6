using Google.Protobuf;
using Ingest.V1;

namespace Ingest.Agents.Hosting;

/// <summary>Where agents' updates go.</summary>
internal interface IAgentOutputs
{
    /// <summary>Completes when the update is durable. Calls of one agent for one topic keep their order.</summary>
    ValueTask PublishAsync(string topic, string key, IMessage payload, CancellationToken cancellationToken);

    /// <summary>What was published since a time, and is durable.</summary>
    IAsyncEnumerable<Update> ReadSinceAsync(DateTimeOffset time, CancellationToken cancellationToken);
}
