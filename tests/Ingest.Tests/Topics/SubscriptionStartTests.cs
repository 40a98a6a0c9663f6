using Google.Protobuf.WellKnownTypes;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Tests.Topics;

/// <summary>Which topics a subscription is for, and where it starts.</summary>
public sealed class SubscriptionStartTests
{
    [Theory]
    [InlineData("a", "a", true)]
    [InlineData("a", "a.b", false)]
    [InlineData("a.*", "a.b", true)]
    [InlineData("a.*", "a", false)]
    [InlineData("a.*", "a.b.c", false)]
    [InlineData("*.b", "a.b", true)]
    [InlineData("a.>", "a.b.c", true)]
    [InlineData("a.>", "a", false)]
    [InlineData("a.*.>", "a.b.c", true)]
    [InlineData("a.*.>", "a.b", false)]
    [InlineData(">", "a", true)]
    [InlineData("*", "a.b", false)]
    public void A_pattern_means_topics_by_their_tokens(string pattern, string topic, bool isMeant) =>
        Assert.Equal(isMeant, TopicPattern.Parse(pattern, "topics[0]").Matches(topic));

    [Theory]
    [InlineData("")]
    [InlineData("a..b")]
    [InlineData(">.a")]
    [InlineData("a*")]
    [InlineData("ä")]
    public void What_is_no_pattern_is_refused(string pattern) =>
        Assert.Equal("topics[0]", Assert.Throws<TopicException>(() => TopicPattern.Parse(pattern, "topics[0]")).Field);

    [Fact]
    public async Task It_starts_with_what_is_new_the_oldest_or_the_last_of_each_key()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        await server.PublishAsync(0, 10, keys: 3);
        using Subscription fresh = await server.SubscribeAsync(StartPosition.New);
        using Subscription oldest = await server.SubscribeAsync(StartPosition.Earliest);
        using Subscription last = await server.SubscribeAsync(StartPosition.LastPerKey);
        await server.PublishAsync(10, 2, keys: 3);
        Assert.Equal("10 11", fresh.Read().Text());
        Assert.Equal("0 1 2 3 4 5 6 7 8 9 10 11", oldest.Read().Text());
        Assert.Equal("7 8 9 10 11", last.Read().Text());
        Assert.Equal([10L, 0, 0], new[] { fresh, oldest, last }.Select(s => s.Positions.Single().Offset));
        Assert.All(new[] { fresh, oldest, last }, s => Assert.True(s.Positions.Single().Recovered));
    }

    [Fact]
    public async Task The_last_of_each_key_is_the_last_that_the_subscription_wants()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        await server.PublishAsync(0, 9, keys: 2); // Severities 1, 2, 3 in turn.
        using Subscription warnings = await server.SubscribeAsync(
            StartPosition.LastPerKey, filter: Filters.Compare("severity", "EQUAL", "\"WARNING\""));
        Assert.Equal("4 7", warnings.Read().Text());
    }

    [Fact]
    public async Task It_starts_at_a_time()
    {
        var time = new Tests.Log.ManualTime();
        await using TopicServer server = await TopicServer.StartAsync(time: time);
        var times = new List<DateTimeOffset>();
        for (int i = 0; i < 5; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            times.Add((await server.PublishAsync(i, 1))[0].EmittedAt);
        }

        async Task<string> FromAsync(DateTimeOffset at)
        {
            using Subscription subscription = await server.Hub.SubscribeAsync(
                new SubscriptionOptions { Topics = ["alerts"], Time = at });
            return subscription.Read().Text();
        }

        Assert.Equal("2 3 4", await FromAsync(times[2]));
        Assert.Equal("3 4", await FromAsync(times[2].AddMicroseconds(1)));
        Assert.Equal("0 1 2 3 4", await FromAsync(DateTimeOffset.UnixEpoch));
        Assert.Equal("", await FromAsync(times[4].AddSeconds(1)));
    }

    [Fact]
    public async Task A_token_goes_on_behind_the_item_that_was_read_last()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        await server.PublishAsync(0, 5);
        string token;
        using (Subscription first = await server.SubscribeAsync(StartPosition.Earliest))
        {
            Assert.Equal("0 1 2", first.Read(3).Text());
            token = first.Token();
        }

        await server.PublishAsync(5, 1);
        using Subscription second = await server.SubscribeAsync(token: token);
        Assert.Equal((3, true), (second.Positions.Single().Offset, second.Positions.Single().Recovered));
        Assert.Equal(token, second.Token());
        Assert.Equal("3 4 5", second.Read().Text());
    }

    [Fact]
    public async Task A_token_of_several_topics_goes_on_in_each()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        foreach (string topic in new[] { "a.x", "a.yy", "b" })
        {
            await server.PublishAsync(0, 3, topic: topic);
        }

        using Subscription first = await server.SubscribeAsync(StartPosition.Earliest, topic: "a.>");
        Assert.Equal(["a.x", "a.yy", "a.x"], first.Read(3).Select(item => item.Update!.Topic));
        using Subscription second = await server.SubscribeAsync(token: first.Token(), topic: ">");
        Assert.Equal(
            ["a.x 2", "a.yy 1", "a.yy 2", "b 0", "b 1", "b 2"],
            second.Read().Select(item => $"{item.Update!.Topic} {item.Update.Offset}").Order());
    }

    [Fact]
    public async Task A_topic_that_comes_later_is_followed_from_its_first_update()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        using Subscription subscription = await server.SubscribeAsync(topic: "mine.*");
        Assert.Empty(subscription.Positions);
        ValueTask<bool> more = subscription.WaitToReadAsync();
        await server.PublishAsync(0, 2, topic: "mine.a");
        Assert.True(await more);
        Assert.Equal("0 1", subscription.Read().Text());
        using Subscription second = await server.SubscribeAsync(token: subscription.Token(), topic: "mine.*");
        await server.PublishAsync(2, 1, topic: "mine.a");
        await server.PublishAsync(0, 1, topic: "mine.b");
        Assert.Equal(
            ["mine.a 2", "mine.b 0"], second.Read().Select(i => $"{i.Update!.Topic} {i.Update.Offset}").Order());
    }

    [Fact]
    public async Task Only_the_keys_that_are_asked_for_come()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        await server.PublishAsync(0, 10, keys: 5);
        using Subscription subscription = await server.SubscribeAsync(StartPosition.Earliest, keys: ["key-1", "key-4"]);
        Assert.Equal("1 4 6 9", subscription.Read().Text());
    }

    [Theory]
    [InlineData("!")]
    [InlineData("AAAA")]
    [InlineData("AQAB")]
    public async Task A_token_that_is_none_is_refused(string token)
    {
        await using TopicServer server = await TopicServer.StartAsync();
        Assert.Equal(
            "resume_token",
            (await Assert.ThrowsAsync<TopicException>(() => server.SubscribeAsync(token: token))).Field);
    }

    [Fact]
    public async Task A_token_that_is_ahead_of_its_topic_is_refused()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        await server.PublishAsync(0, 1);
        string epoch = server.Hub.Topics.Single(topic => topic.Name == "alerts").Epoch;
        await Assert.ThrowsAsync<TopicException>(() => server.SubscribeAsync(token: TopicServer.TokenAt(epoch, 2)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(12345678901)]
    [InlineData((1L << 48) - 1)]
    public void A_token_says_again_what_it_was_made_of(long offset)
    {
        TopicPlace[] places = [new("a", "0123456789ab", offset), new("some.longer-topic_1", "ffffffffffff", 7)];
        var token = new ResumeToken(places);
        Assert.Equal(places, ResumeToken.Parse(System.Text.Encoding.ASCII.GetString(token.Text), ""));
        token.Set(1, offset);
        Assert.Equal(offset, ResumeToken.Parse(System.Text.Encoding.ASCII.GetString(token.Text), "")[1].Offset);
    }

    [Fact]
    public async Task A_named_subscription_goes_on_where_it_was_acknowledged()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        var options = new SubscriptionOptions { Topics = ["alerts"], Name = "billing" };
        using (Subscription first = await server.Hub.SubscribeAsync(options))
        {
            await server.PublishAsync(0, 5);
            Assert.Equal("0 1", first.Read(2).Text());
            first.Ack(first.Token());
            Assert.Equal("2 3", first.Read(2).Text());
        }

        using (Subscription second = await server.Hub.SubscribeAsync(options))
        {
            Assert.Equal("2 3 4", second.Read().Text());
        }

        await server.RestartAsync();
        using Subscription third = await server.Hub.SubscribeAsync(options);
        Assert.Equal(2, third.Positions.Single().Offset);
        using Subscription elsewhere = await server.Hub.SubscribeAsync(options with { Position = StartPosition.New });
        Assert.Equal(5, elsewhere.Positions.Single().Offset);
    }

    [Fact]
    public async Task A_named_subscription_that_never_acknowledged_goes_on_where_it_began()
    {
        await using TopicServer server = await TopicServer.StartAsync(new TopicOptions { MaxPlaces = 1 });
        var options = new SubscriptionOptions { Topics = ["alerts"], Name = "billing" };
        (await server.Hub.SubscribeAsync(options)).Dispose();
        await server.PublishAsync(0, 2);
        using Subscription second = await server.Hub.SubscribeAsync(options);
        Assert.Equal("0 1", second.Read().Text());
        TopicException fault = await Assert.ThrowsAsync<TopicException>(
            () => server.Hub.SubscribeAsync(options with { Name = "another" }).AsTask());
        Assert.Equal("subscription", fault.Field);
        Assert.Single(server.Hub.Subscriptions);
    }

    [Fact]
    public async Task What_cannot_be_asked_for_is_refused_with_the_field()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        var good = new SubscriptionOptions { Topics = ["alerts"] };
        foreach ((SubscriptionOptions options, string field) in new (SubscriptionOptions, string)[]
        {
            (good with { Topics = [] }, "topics"),
            (good with { Topics = ["alerts", "a..b"] }, "topics[1]"),
            (good with { Position = (StartPosition)99 }, "position"),
            (good with { Overflow = (OverflowPolicy)99 }, "overflow"),
            (good with { Position = StartPosition.New, Time = DateTimeOffset.UnixEpoch }, "from"),
            (good with { Name = new string('n', 300) }, "subscription"),
            (good with { Filter = new Filter() }, "filter"),
        })
        {
            Assert.Equal(
                field, (
                    await Assert.ThrowsAsync<TopicException>(() => server.Hub.SubscribeAsync(options).AsTask())).Field);
        }
    }
}
