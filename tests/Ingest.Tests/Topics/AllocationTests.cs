using Ingest.Topics;
using Ingest.V1;
using Xunit.Abstractions;

namespace Ingest.Tests.Topics;

/// <summary>An update costs a subscriber no memory.</summary>
public sealed class AllocationTests(ITestOutputHelper output)
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

    // What is allocated for it, what was needed for a moment included, is more than it can hold.
    [Fact]
    public async Task A_subscription_that_waits_has_cost_less_than_6_KiB()
    {
        const int count = 1000;
        await using TopicServer server = await TopicServer.StartAsync();
        var options = new SubscriptionOptions { Topics = ["alerts"] };
        (await server.Hub.SubscribeAsync(options)).Dispose();
        var subscriptions = new List<Subscription>(count);
        var waits = new List<Task<bool>>(count);
        int thread = Environment.CurrentManagedThreadId;
        long heldBefore = GC.GetTotalMemory(forceFullCollection: true);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < count; i++)
        {
            subscriptions.Add(
                await server.Hub.SubscribeAsync(options)); // On this thread: nothing is asked of the store.
            waits.Add(subscriptions[^1].WaitToReadAsync().AsTask());
        }

        long each = (GC.GetAllocatedBytesForCurrentThread() - before) / count;
        Assert.Equal(thread, Environment.CurrentManagedThreadId);
        long held = (GC.GetTotalMemory(forceFullCollection: true) - heldBefore) / count;
        output.WriteLine($"{each} bytes, {held} of them held if no other test ran meanwhile");
        Assert.InRange(each, 100, 6 * 1024);
        Assert.DoesNotContain(waits, wait => wait.IsCompleted);
        subscriptions.ForEach(subscription => subscription.Dispose());
        Assert.DoesNotContain(true, await Task.WhenAll(waits));
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
