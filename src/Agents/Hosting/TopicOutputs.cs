using System.Runtime.CompilerServices;
using Google.Protobuf;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Agents.Hosting;

/// <summary>Agents' updates on their way to topics.</summary>
internal sealed class TopicOutputs(TopicHub topics) : IAgentOutputs
{
    public bool TryPublish(string topic, string key, IMessage payload, out Task published)
    {
        try
        {
            bool isTaken = topics.TryPublish(topic, key, payload, out ValueTask<TopicUpdate> update);
            published = update.AsTask();
            return isTaken;
        }
        catch (Exception e)
        {
            // It will never be durable, and who waits for that is told.
            published = Task.FromException(e);
            return true;
        }
    }

    public Task WaitForRoomAsync(IMessage payload) => topics.WaitForRoomAsync(payload);

    public async IAsyncEnumerable<Update> ReadSinceAsync(
        DateTimeOffset time, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using Subscription subscription = await topics.SubscribeAsync(
            new SubscriptionOptions
            {
                Topics = [">"], Time = time, Overflow = OverflowPolicy.Block, Transport = "agent",
            },
            cancellationToken);
        Dictionary<string, long> ends = topics.Topics.ToDictionary(topic => topic.Name, topic => topic.NextOffset);
        HashSet<string> left =
        [
            .. subscription.Positions.Where(start => start.Offset < ends.GetValueOrDefault(start.Topic))
                .Select(start => start.Topic),
        ];
        while (left.Count > 0)
        {
            while (left.Count > 0 && subscription.TryRead(out SubscriptionItem item))
            {
                (string topic, long next) = item.Gap is { } gap
                    ? (gap.Topic, gap.ToOffset)
                    : (item.Update!.Topic, item.Update.Offset + 1);
                if (next >= ends.GetValueOrDefault(topic))
                {
                    left.Remove(topic);
                }

                if (item.Update is { } update)
                {
                    yield return update.Content;
                }
            }

            if (left.Count > 0)
            {
                if (!await subscription.WaitToReadAsync(cancellationToken))
                {
                    yield break;
                }

                // The agent may take its time; the thread that woke it has other readers to wake.
                await Task.Yield();
            }
        }
    }
}
