using Ingest.Tests.Stores;
using Ingest.Tests.Stores.Poison;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Tests.Topics;

/// <summary>What memory no longer has comes from the store.</summary>
[Collection(EngineCollection.Name)]
public sealed class OlderUpdatesTests(EngineFixture engine)
{
    private static readonly TopicOptions s_small = new() { MaxCount = 20, MaxLagMessages = 10 };

    [SkippableFact]
    public async Task A_token_that_is_older_than_memory_is_served_whole()
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small, engine.Store);
        await server.PublishAsync(0, 5);
        string token;
        using (Subscription first = await server.SubscribeAsync(StartPosition.Earliest))
        {
            first.Read(2);
            token = first.Token();
        }

        await server.PublishAsync(5, 100);
        await server.StoredAsync();
        foreach (OverflowPolicy policy in new[]
            { OverflowPolicy.Block, OverflowPolicy.DropOldest, OverflowPolicy.Conflate, OverflowPolicy.Disconnect })
        {
            using Subscription second = await server.SubscribeAsync(overflow: policy, token: token);
            Assert.True(second.Positions.Single().Recovered);
            Assert.Equal(string.Join(' ', Enumerable.Range(2, 103)), (await second.ReadToAsync(105)).Text());
            Assert.Equal(SubscriptionEnd.None, second.End);
        }
    }

    [SkippableFact]
    public async Task What_the_store_does_not_have_yet_is_waited_for()
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small, engine.Store);
        TopicUpdate first = (await server.PublishAsync(0, 200))[0];
        using Subscription subscription = await server.SubscribeAsync(token: TopicServer.TokenAt(first.Epoch, 3));
        Assert.Equal(string.Join(' ', Enumerable.Range(3, 197)), (await subscription.ReadToAsync(200)).Text());
    }

    [SkippableFact]
    public async Task A_time_that_is_older_than_memory_is_found_in_the_store()
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small, engine.Store);
        TopicUpdate[] early = await server.PublishAsync(0, 30);
        await server.PublishAsync(30, 50);
        await server.StoredAsync();
        using Subscription subscription = await server.Hub.SubscribeAsync(new SubscriptionOptions
        {
            Topics = ["alerts"], Time = early[25].EmittedAt, Overflow = OverflowPolicy.Block,
        });
        long offset = early.First(update => update.EmittedAt >= early[25].EmittedAt).Offset;
        Assert.Equal(offset, subscription.Positions.Single().Offset);
        Assert.Equal(
            string.Join(' ', Enumerable.Range((int)offset, 80 - (int)offset)),
            (await subscription.ReadToAsync(80)).Text());
    }

    [SkippableFact]
    public async Task A_time_that_neither_memory_nor_the_store_has_yet_is_waited_for()
    {
        var gate = new TaskCompletionSource();
        var store = new InterruptedStore(engine.Store, every: 1, () => gate.Task);
        await using TopicServer server = await TopicServer.StartAsync(s_small, store);
        TopicUpdate first = (await server.PublishAsync(0, 100))[0];
        Task<Subscription> subscribing = server.Hub.SubscribeAsync(new SubscriptionOptions
        {
            Topics = ["alerts"], Time = first.EmittedAt, Overflow = OverflowPolicy.Block,
        }).AsTask();
        await Tests.Log.Eventually.BeAsync(() => store.Count > 0);
        Assert.False(subscribing.IsCompleted);
        gate.SetResult();
        using Subscription subscription = await subscribing;
        Assert.Equal((0, true), (subscription.Positions.Single().Offset, subscription.Positions.Single().Recovered));
        Assert.Equal(string.Join(' ', Enumerable.Range(0, 100)), (await subscription.ReadToAsync(100)).Text());
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EARLIEST_begins_with_what_memory_no_longer_has(bool isStored)
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small, engine.Store);
        await server.PublishAsync(0, 150, keys: 3);
        if (isStored)
        {
            await server.StoredAsync();
        }

        foreach (OverflowPolicy policy in new[]
            { OverflowPolicy.Block, OverflowPolicy.DropOldest, OverflowPolicy.Conflate, OverflowPolicy.Disconnect })
        {
            using Subscription all = await server.SubscribeAsync(StartPosition.Earliest, policy);
            Assert.Equal((0, true), (all.Positions.Single().Offset, all.Positions.Single().Recovered));
            Assert.Equal(string.Join(' ', Enumerable.Range(0, 150)), (await all.ReadToAsync(150)).Text());
        }
    }

    [SkippableFact]
    public async Task What_was_conflated_and_has_left_memory_is_given_in_full_to_one_that_asks_for_it_later()
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small, engine.Store);
        using Subscription subscription = await server.SubscribeAsync(overflow: OverflowPolicy.Conflate);
        string before = subscription.Token();
        await server.PublishAsync(0, 20, keys: 2);
        Assert.Equal("CONFLATED[0,18)=18 18 19", subscription.Read().Text());
        await server.PublishAsync(20, 40, keys: 2);
        using Subscription earliest = await server.SubscribeAsync(StartPosition.Earliest);
        using Subscription later = await server.SubscribeAsync(token: before);
        string whole = string.Join(' ', Enumerable.Range(0, 60));
        Assert.Equal((whole, whole), ((await earliest.ReadToAsync(60)).Text(), (await later.ReadToAsync(60)).Text()));
    }

    [SkippableFact]
    public async Task What_a_filter_would_have_let_through_is_counted_in_the_store()
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small, engine.Store);
        using Subscription subscription = await server.SubscribeAsync(
            filter: Filters.Compare("severity", "EQUAL", "\"WARNING\""), keys: ["key-0"]);
        await server.PublishAsync(0, 100, keys: 2); // Wanted are 4, 10, 16 and so on.
        List<SubscriptionItem> items = await subscription.ReadToAsync(100);
        Assert.Equal("EXPIRED[0,80)=13 82 88 94", items.Text());
    }

    [SkippableFact]
    public async Task An_earlier_epoch_is_served_first_and_then_the_gap_says_that_it_is_over()
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small, engine.Store);
        TopicUpdate[] early = await server.PublishAsync(0, 30);
        await server.StoredAsync();
        await server.KillAsync(file => file.EndsWith("topics.json", StringComparison.Ordinal));
        TopicUpdate[] late = await server.PublishAsync(30, 2);
        using Subscription second = await server.SubscribeAsync(token: TopicServer.TokenAt(early[0].Epoch, 15));
        Assert.Equal((early[0].Epoch, 15, false), (
            second.Positions.Single().Epoch, second.Positions.Single().Offset, second.Positions.Single().Recovered));
        Assert.Equal(
            $"{string.Join(' ', Enumerable.Range(15, 15))} EPOCH[30,0)=0 0 1", (await second.ReadToAsync(2)).Text());
        Assert.NotEqual(early[0].Epoch, late[0].Epoch);
    }
}
