using Ingest.Topics;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>What deliveries allocate: nothing an update, a little a flush.</summary>
[Collection("alone")]
public sealed class AllocationTests
{
    private const int Updates = 20_000;

    [Fact]
    public async Task A_delivery_allocates_nothing()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync(
            topics: new TopicOptions { MaxLagMessages = 65_536 });
        await host.PublishAsync(0, Updates);
        long least = long.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            await using RawSubscriber subscriber = RawSubscriber.Start(host.Address);
            subscriber.ReadUpdates(1);
            long before = GC.GetTotalAllocatedBytes(precise: true);
            subscriber.ReadUpdates(Updates);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        // Of the whole process, over some 80 flushes: less than a byte an update.
        Assert.InRange(least, 0, Updates);
    }
}
