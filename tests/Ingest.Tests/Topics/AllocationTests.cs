using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Tests.Topics;

/// <summary>An update costs a subscriber no memory.</summary>
public sealed class AllocationTests
{
    private const int Updates = 2000;

    [Fact]
    public async Task To_read_an_update_with_keys_a_filter_and_a_token_allocates_nothing()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        await server.PublishAsync(0, Updates, keys: 10);
        Filter filter = Filters.Parse(
            """
            {"all_of":{"filters":[
              {"membership":{"field":"severity","values":[{"text":"WARNING"},{"text":"CRITICAL"}]}},
              {"comparison":{"field":"alert_id","operator":"COMPARISON_OPERATOR_PREFIX","value":{"text":"alert-"}}},
              {"comparison":{"field":"timestamp","operator":"COMPARISON_OPERATOR_GREATER","value":{"number":-1}}},
              {"not":{"within":{"field":"location","circle":{"center":{"lat":52,"lon":13},"radius_meters":1000}}}}]}}
            """);
        using Subscription warm = await SubscribeAsync(server, filter);
        Assert.InRange(Read(warm), 600, 700);
        using Subscription subscription = await SubscribeAsync(server, filter);
        long before = GC.GetAllocatedBytesForCurrentThread();
        int read = Read(subscription);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.InRange(read, 600, 700);
    }

    private static ValueTask<Subscription> SubscribeAsync(TopicServer server, Filter filter) =>
        server.Hub.SubscribeAsync(new SubscriptionOptions
        {
            Topics = ["alerts"], Keys = ["key-0", "key-2", "key-4", "key-6", "key-8"], Filter = filter,
            Position = StartPosition.Earliest, Overflow = OverflowPolicy.Conflate,
        });

    private static int Read(Subscription subscription)
    {
        int count = 0;
        long characters = 0;
        while (subscription.TryRead(out SubscriptionItem item))
        {
            count += item.Update is null ? 0 : 1;
            characters += subscription.ResumeToken.Length;
        }

        return characters > count ? count : -1;
    }
}
