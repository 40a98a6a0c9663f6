using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Tests.Topics;

public sealed class TopicHubTests
{
    [Fact]
    public async Task An_update_reaches_those_that_follow_its_topic()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        using Subscription alerts = await SubscribeAsync(server, "alerts");
        using Subscription others = await SubscribeAsync(server, "eta-predictions");
        TopicUpdate update = await server.Hub.PublishAsync("alerts", "driver-1", TopicServer.Alert(1));
        Assert.True(await alerts.WaitToReadAsync());
        Assert.True(alerts.TryRead(out SubscriptionItem item));
        Assert.Same(update, item.Update);
        Assert.Equal((0, "driver-1", "alerts"), (update.Offset, update.Key, update.Topic));
        Assert.Equal(TopicServer.Alert(1), update.Content.Alert);
        Assert.False(alerts.TryRead(out _));
        Assert.False(others.TryRead(out _));
    }

    private static ValueTask<Subscription> SubscribeAsync(TopicServer server, params string[] topics) =>
        server.Hub.SubscribeAsync(new SubscriptionOptions { Topics = topics });
}
