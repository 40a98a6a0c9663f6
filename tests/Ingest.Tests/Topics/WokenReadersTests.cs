using Ingest.Topics;

namespace Ingest.Tests.Topics;

public sealed class WokenReadersTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    // Each update is published when all readers wait, or are about to: one that is not woken has nothing more to come.
    [Fact]
    public async Task Every_reader_that_waits_is_woken_by_every_update()
    {
        const int readers = 100, updates = 200;
        await using TopicServer server = await TopicServer.StartAsync();
        using var deadline = new CancellationTokenSource(s_deadline);
        using var round = new SemaphoreSlim(0);
        var subscriptions = new List<Subscription>();
        for (int i = 0; i < readers; i++)
        {
            subscriptions.Add(await server.SubscribeAsync());
        }

        Task[] reading = [.. subscriptions.Select(subscription => Task.Run(() => ReadAsync(subscription)))];
        for (int n = 0; n < updates; n++)
        {
            await server.PublishAsync(n, 1);
            for (int i = 0; i < readers; i++)
            {
                await round.WaitAsync(deadline.Token);
            }
        }

        await Task.WhenAll(reading);
        subscriptions.ForEach(subscription => subscription.Dispose());

        async Task ReadAsync(Subscription subscription)
        {
            for (int n = 0; n < updates; n++)
            {
                SubscriptionItem item;
                while (!subscription.TryRead(out item))
                {
                    Assert.True(await subscription.WaitToReadAsync(deadline.Token));
                }

                Assert.Equal(n, item.Update!.Offset);
                round.Release();
            }
        }
    }

    [Fact]
    public async Task Readers_that_give_up_end_and_the_others_are_woken()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        using var giveUp = new CancellationTokenSource();
        using Subscription first = await server.SubscribeAsync();
        using Subscription second = await server.SubscribeAsync();
        Task<bool> given = first.WaitToReadAsync(giveUp.Token).AsTask();
        Task<bool> kept = second.WaitToReadAsync().AsTask();
        await giveUp.CancelAsync();
        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given.WaitAsync(s_deadline));
        Assert.Equal(giveUp.Token, cancelled.CancellationToken);
        await server.PublishAsync(0, 1);
        Assert.True(await kept.WaitAsync(s_deadline));

        // It may wait again.
        Assert.True(await first.WaitToReadAsync().AsTask().WaitAsync(s_deadline));
        Assert.Equal("0", first.Read().Text());
        ValueTask<bool> more = first.WaitToReadAsync();
        await server.PublishAsync(1, 1);
        Assert.True(await more.AsTask().WaitAsync(s_deadline));
    }
}
