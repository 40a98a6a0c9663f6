using Google.Protobuf;
using Ingest.V1;

namespace Ingest.Agents.Hosting;

/// <summary>Agents' updates on their way to topics.</summary>
internal sealed class TopicOutputs : IAgentOutputs
{
    public ValueTask PublishAsync(string topic, string key, IMessage payload, CancellationToken cancellationToken) => default;

    public async IAsyncEnumerable<Update> ReadSinceAsync(
        DateTimeOffset time, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        yield break;
    }
}
