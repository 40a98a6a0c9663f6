using Google.Protobuf;
using Ingest.V1;

namespace Ingest.Agents.Hosting;

/// <summary>Where agents' updates go.</summary>
internal interface IAgentOutputs
{
    /// <summary>Sends an update on its way. Calls of one agent for one topic keep their order.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="key">The entity that it is about.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="published">Completes when the update is durable.</param>
    /// <returns>False when there is no room for it now, and it was not taken.</returns>
    bool TryPublish(string topic, string key, IMessage payload, out Task published);

    /// <summary>Completes when there may be room for a payload.</summary>
    Task WaitForRoomAsync(IMessage payload);

    /// <summary>What was published since a time, and is durable.</summary>
    IAsyncEnumerable<Update> ReadSinceAsync(DateTimeOffset time, CancellationToken cancellationToken);
}
