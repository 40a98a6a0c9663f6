using Ingest.Tests.Stores;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Tests.Topics;

/// <summary>What stays of topics over a stop and a kill.</summary>
[Collection(EngineCollection.Name)]
public sealed class TopicRestartTests(EngineFixture engine)
{
    [Fact]
    public async Task After_a_stop_a_topic_goes_on_though_the_store_keeps_nothing()
    {
        await using TopicServer server = await TopicServer.StartAsync(new TopicOptions { StoreWait = TimeSpan.Zero });
        TopicUpdate last = (await server.PublishAsync(0, 10))[^1];
        string token;
        using (Subscription first = await server.SubscribeAsync(StartPosition.Earliest))
        {
            first.Read(7);
            token = first.Token();
        }

        await server.RestartAsync();
        TopicUpdate next = (await server.PublishAsync(10, 1))[0];
        Assert.Equal((10, last.Epoch), (next.Offset, next.Epoch));
        using Subscription second = await server.SubscribeAsync(token: token);
        Assert.Equal((7, false), (second.Positions.Single().Offset, second.Positions.Single().Recovered));
        Assert.Equal("EXPIRED[7,10)=3 10", (await second.ReadToAsync(11)).Text());
    }

    [Fact]
    public async Task After_a_kill_a_topic_begins_a_new_epoch_when_the_store_keeps_nothing()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        TopicUpdate last = (await server.PublishAsync(0, 10))[^1];
        await server.StoredAsync();
        using (Subscription first = await server.SubscribeAsync(StartPosition.Earliest))
        {
            first.Read(7);
            await server.KillAsync();
            TopicUpdate next = (await server.PublishAsync(10, 1))[0];
            Assert.Equal(0, next.Offset);
            Assert.NotEqual(last.Epoch, next.Epoch);
            using Subscription second = await server.SubscribeAsync(token: first.Token());
            Assert.False(second.Positions.Single().Recovered);
            List<SubscriptionItem> items = await second.ReadToAsync(1);
            Gap gap = items[0].Gap!;
            Assert.Equal(
                (GapReason.Epoch, last.Epoch, 7, next.Epoch, 0),
                (gap.Reason, gap.FromEpoch, gap.FromOffset, gap.ToEpoch, gap.ToOffset));
            Assert.Same(next, Assert.Single(items.Skip(1)).Update);
            using Subscription third = await server.SubscribeAsync(token: second.Token());
            Assert.True(third.Positions.Single().Recovered);
        }
    }

    [Fact]
    public async Task After_a_kill_a_topic_goes_on_with_what_the_log_still_has()
    {
        using var gate = new SemaphoreSlim(0);
        await using TopicServer server = await TopicServer.StartAsync(store: new ScriptedStore { Gate = gate });
        TopicUpdate[] updates = await server.PublishAsync(0, 10);
        await server.KillAsync();
        using Subscription all = await server.SubscribeAsync(StartPosition.Earliest);
        Assert.Equal(
            updates.Select(update => Convert.ToHexString(update.Message.Span)),
            all.Read().Select(item => Convert.ToHexString(item.Update!.Message.Span)));
        Assert.Equal(
            (10, updates[0].Epoch), ((await server.PublishAsync(10, 1))[0].Offset, all.Positions.Single().Epoch));
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_topic_is_filled_again_from_the_store_and_the_log(bool isKilled)
    {
        await using TopicServer server = await TopicServer.StartAsync(
            new TopicOptions { MaxCount = 100 }, engine.Store);
        var updates = (await server.PublishAsync(0, 150, keys: 3)).ToList();
        await server.StoredAsync();
        updates.AddRange(await server.PublishAsync(150, 50, keys: 3));
        await (isKilled ? server.KillAsync() : server.RestartAsync());
        TopicStatus status = server.Hub.Topics.Single(topic => topic.Name == "alerts");
        Assert.Equal((updates[0].Epoch, 200, 100), (status.Epoch, status.NextOffset, status.OldestOffset));
        using Subscription all = await server.SubscribeAsync(token: TopicServer.TokenAt(status.Epoch, 100));
        Assert.Equal(
            updates.Skip(100).Select(update => Convert.ToHexString(update.Message.Span)),
            all.Read().Select(item => Convert.ToHexString(item.Update!.Message.Span)));
        using Subscription last = await server.SubscribeAsync(StartPosition.LastPerKey);
        Assert.Equal("197 198 199", last.Read().Text());
        Assert.Equal(200, (await server.PublishAsync(200, 1, keys: 3))[0].Offset);
        Assert.Equal("200", last.Read().Text());
    }

    [SkippableFact]
    public async Task Restarts_and_kills_in_turn_lose_nothing_and_repeat_nothing()
    {
        await using TopicServer server = await TopicServer.StartAsync(store: engine.Store);
        string token = "";
        int published = 0;
        for (int run = 0; run < 6; run++)
        {
            await server.PublishAsync(published, 20);
            published += 20;
            using (Subscription subscription = await server.SubscribeAsync(
                token.Length == 0 ? StartPosition.Earliest : default, token: token))
            {
                Assert.All(subscription.Positions, position => Assert.True(position.Recovered));
                int from = run == 0 ? 0 : (run * 20) - 5;
                Assert.Equal(
                    string.Join(' ', Enumerable.Range(from, published - 5 - from)),
                    subscription.Read(published - 5 - from).Text());
                token = subscription.Token();
            }

            await (run % 2 == 0 ? server.KillAsync() : server.RestartAsync());
        }
    }

    [Fact]
    public async Task A_store_that_has_lost_updates_after_a_kill_makes_a_new_epoch()
    {
        await using TopicServer server = await TopicServer.StartAsync(store: new ScriptedStore());
        TopicUpdate last = (await server.PublishAsync(0, 30))[^1];
        await server.StoredAsync();
        await server.KillAsync();
        Assert.NotEqual(last.Epoch, server.Hub.Topics.Single(topic => topic.Name == "alerts").Epoch);
    }
}
