using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Tests.Topics;

/// <summary>What a subscription that is slow gets, and exactly what it misses.</summary>
public sealed class OverflowTests
{
    private static readonly TopicOptions s_small =
        new() { MaxCount = 32, MaxLagMessages = 16, StoreWait = TimeSpan.Zero };

    private static readonly Filter s_warnings = Filters.Compare("severity", "EQUAL", "\"WARNING\"");

    [Fact]
    public async Task BLOCK_waits_until_the_topic_drops_and_then_says_what()
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small);
        using Subscription subscription = await server.SubscribeAsync(overflow: OverflowPolicy.Block);
        await server.PublishAsync(0, 1);
        Assert.Equal("0", subscription.Read().Text());
        await server.PublishAsync(1, 32);
        Assert.Equal("1 2", subscription.Read(2).Text());
        await server.PublishAsync(33, 10);
        Assert.Equal("EXPIRED[3,11)=8 11 12", subscription.Read(3).Text());
        Assert.Equal("13", subscription.Read(1).Text());
    }

    [Fact]
    public async Task DROP_OLDEST_skips_to_within_the_limit()
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small);
        using Subscription subscription = await server.SubscribeAsync(overflow: OverflowPolicy.DropOldest);
        await server.PublishAsync(0, 16);
        Assert.Equal("0", subscription.Read(1).Text());
        await server.PublishAsync(16, 2);
        Assert.Equal("DROPPED[1,4)=3 4 5", subscription.Read(3).Text());
        await server.PublishAsync(18, 40);
        Assert.Equal("EXPIRED[6,26)=20 DROPPED[26,44)=18 44", subscription.Read(3).Text());
    }

    [Fact]
    public async Task DROP_OLDEST_counts_what_the_filter_wants()
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small);
        using Subscription subscription = await server.SubscribeAsync(
            overflow: OverflowPolicy.DropOldest, filter: s_warnings, keys: ["key-0"]);
        await server.PublishAsync(0, 30, keys: 2); // Wanted are 4, 10, 16, 22, 28.
        Assert.Equal("DROPPED[0,16)=2 16 22 28", subscription.Read().Text());
    }

    [Fact]
    public async Task CONFLATE_gives_the_last_of_each_key_of_what_waits()
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small);
        using Subscription subscription = await server.SubscribeAsync(overflow: OverflowPolicy.Conflate);
        await server.PublishAsync(0, 3, keys: 3);
        Assert.Equal("0 1 2", subscription.Read().Text());
        await server.PublishAsync(3, 20, keys: 3);
        Assert.Equal("CONFLATED[3,20)=17 20 21", subscription.Read(3).Text());
        await server.PublishAsync(23, 1, keys: 3);
        Assert.Equal("22 23", subscription.Read().Text());
    }

    [Fact]
    public async Task CONFLATE_says_each_gap_between_what_it_gives()
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small);
        using Subscription subscription = await server.SubscribeAsync(overflow: OverflowPolicy.Conflate);
        await server.PublishAsync(0, 2, keys: 2); // key-0, key-1
        foreach (int n in new[] { 3, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4 })
        {
            await server.Hub.PublishAsync("alerts", $"key-{n}", TopicServer.Alert(n));
        }

        Assert.Equal("0 1 2 3 CONFLATED[4,18)=14 18", subscription.Read().Text());
        using Subscription all = await server.SubscribeAsync(StartPosition.Earliest, OverflowPolicy.Conflate);
        Assert.Equal(19, all.Read().Count);
    }

    [Fact]
    public async Task DISCONNECT_ends_it_and_the_token_goes_on_without_a_gap()
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small);
        using Subscription subscription = await server.SubscribeAsync(overflow: OverflowPolicy.Unspecified);
        await server.PublishAsync(0, 16);
        Assert.Equal("0 1", subscription.Read(2).Text());
        await server.PublishAsync(16, 3);
        Assert.False(subscription.TryRead(out _));
        Assert.Equal(SubscriptionEnd.TooSlow, subscription.End);
        Assert.False(await subscription.WaitToReadAsync());
        using Subscription next = await server.SubscribeAsync(token: subscription.Token());
        Assert.Equal("2 3", next.Read(2).Text());
    }

    [Fact]
    public async Task DISCONNECT_ends_it_before_memory_drops_what_it_has_not_read()
    {
        await using TopicServer server = await TopicServer.StartAsync(new TopicOptions { MaxCount = 8 });
        using Subscription subscription = await server.SubscribeAsync(overflow: OverflowPolicy.Disconnect);
        await server.PublishAsync(0, 20);
        Assert.Empty(subscription.Read());
        Assert.Equal(SubscriptionEnd.TooSlow, subscription.End);
    }

    [Fact]
    public async Task CONFLATE_begins_where_the_topic_stood_when_it_was_asked_for()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        await server.PublishAsync(0, 40);
        using Subscription subscription = await server.SubscribeAsync(StartPosition.Earliest, OverflowPolicy.Conflate);
        Assert.Equal(5, subscription.Read(5).Count);
        await server.PublishAsync(40, 30);
        Assert.Equal(
            $"{string.Join(' ', Enumerable.Range(5, 35))} CONFLATED[40,69)=29 69", subscription.Read().Text());
    }

    [Fact]
    public async Task One_that_catches_up_is_not_taken_for_slow()
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small);
        await server.PublishAsync(0, 30);
        using Subscription subscription = await server.SubscribeAsync(
            StartPosition.Earliest, OverflowPolicy.Disconnect);
        Assert.Equal(30, subscription.Read().Count);
        Assert.Equal(SubscriptionEnd.None, subscription.End);
    }

    [Fact]
    public async Task The_status_counts_what_was_given_and_what_was_not()
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small);
        using Subscription subscription = await server.SubscribeAsync(overflow: OverflowPolicy.DropOldest);
        await server.PublishAsync(0, 18);
        subscription.Read(3);
        SubscriptionStatus status = Assert.Single(server.Hub.Subscriptions);
        Assert.Equal((2, 4, 1, 12), (status.Delivered, status.Dropped, status.Gaps, status.LagMessages));
        Assert.True(status.LagTime >= TimeSpan.Zero);
        Assert.Equal(OverflowPolicy.DropOldest, status.Policy);
        Assert.Equal(1, server.Hub.Topics.Single(topic => topic.Name == "alerts").Subscribers);
    }

    [Fact]
    public async Task A_ring_keeps_to_its_bytes_and_its_age()
    {
        var time = new Tests.Log.ManualTime();
        var options = new TopicOptions { MaxBytes = 4096, MaxAge = TimeSpan.FromMinutes(1) };
        await using TopicServer server = await TopicServer.StartAsync(options, time: time);
        TopicUpdate[] updates = await server.PublishAsync(0, 100);
        TopicStatus Status() => server.Hub.Topics.Single(topic => topic.Name == "alerts");
        Assert.InRange(Status().Bytes, 1, 4096);
        Assert.InRange(Status().Count, 5, 20);
        long before = Status().Bytes;
        Assert.True(updates[^1].Json.Length > 0);
        Assert.True(Status().Bytes > before, "the JSON counts too");
        await server.StoredAsync();
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(0, Status().Count);
        Assert.Equal(0, Status().Bytes);
        Assert.Equal(100, (await server.PublishAsync(100, 1))[0].Offset);
    }
}
