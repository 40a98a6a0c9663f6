using Ingest.Server.Services;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>Subscribers that do not read.</summary>
public sealed class StalledSubscriberTests
{
    private const int Healthy = 20;
    private const int Updates = 4000;

    [Fact]
    public async Task A_subscriber_that_never_reads_holds_little_and_nobody_notices()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync();
        await using SubscribeCall silent = await SubscribeCall.StartAsync(
            host.Address, start => start.Overflow = OverflowPolicy.Block);
        SubscribeCall[] calls = await Task.WhenAll(Enumerable.Range(0, Healthy).Select(_ => SubscribeCall.StartAsync(
            host.Address, start => start.Overflow = OverflowPolicy.Block)));
        Task<List<Update>>[] reading = [.. calls.Select(call => call.ReadUpdatesAsync(Updates))];

        await host.PublishAsync(0, Updates);
        List<Update>[] read = await Task.WhenAll(reading);

        Assert.All(read, updates => Assert.Equal(Enumerable.Range(0, Updates), updates.Select(Numbers.Of)));
        await Wait.UntilAsync(() => host.Sessions.UnreadBytes is > 0 and <= 64 * 1024, "one turn waits for it");
        SubscriptionStatus[] behind = [.. host.Hub.Subscriptions.Where(s => s.LagMessages > 0)];
        Assert.InRange(Assert.Single(behind).Delivered, 1, Updates - 1);
        foreach (SubscribeCall call in calls)
        {
            await call.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_subscriber_that_never_reads_is_ended_and_others_are_not()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync(
            new SubscribeOptions { StallTimeout = TimeSpan.FromMilliseconds(500) });
        await using SubscribeCall silent = await SubscribeCall.StartAsync(
            host.Address, start => start.Overflow = OverflowPolicy.Block);
        await using SubscribeCall other = await SubscribeCall.StartAsync(
            host.Address, start => (start.Overflow, start.CreditMessages) = (OverflowPolicy.Block, 1));

        await host.PublishAsync(0, Updates);
        await Wait.UntilAsync(() => host.Sessions is { UnreadEnds: 1, Count: 1, UnreadBytes: 0 }, "it is ended");

        // It held nothing back from being sent, so what is not wanted yet is no stall.
        other.Send(new SubscribeRequest { Credit = new SubscribeCredit { Messages = Updates } });
        Assert.Equal(Enumerable.Range(0, Updates), (await other.ReadUpdatesAsync(Updates)).Select(Numbers.Of));
        await Assert.ThrowsAnyAsync<Exception>(() => silent.ReadUpdatesAsync(Updates));
    }
}
