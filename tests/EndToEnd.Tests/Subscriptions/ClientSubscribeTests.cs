using Ingest.Client;
using Ingest.Protocol;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>The SDK's subscriptions: resume, credit, acks.</summary>
public sealed class ClientSubscribeTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private static readonly SubscribeOptions s_options = new()
    {
        Topics = [SubscriptionHost.Topic],
        ReconnectDelay = TimeSpan.FromMilliseconds(10),
    };

    [Fact]
    public async Task Updates_are_enumerated_in_order_with_far_less_credit_than_there_are_updates()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync();
        await host.PublishAsync(0, 3000);
        using IngestClient client = host.NewClient();
        var starts = new List<SubscribeStarted>();

        List<Delivery> deliveries = await TakeAsync(
            client, s_options with { Position = StartPosition.Earliest, CreditMessages = 7, Started = starts.Add },
            3000);

        Assert.Equal(Enumerable.Range(0, 3000), deliveries.Select(delivery => Numbers.Of(delivery.Update!)));
        Assert.All(deliveries, delivery => Assert.Equal(delivery.Update!.ResumeToken, delivery.ResumeToken));
        Assert.Equal(0, Assert.Single(Assert.Single(starts).Positions).Offset);
        await Wait.UntilAsync(() => host.Hub.Subscriptions.Count == 0, "the subscription has ended");
    }

    [Fact]
    public async Task A_token_of_one_enumeration_goes_on_in_another()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync();
        await host.PublishAsync(0, 100);
        using IngestClient client = host.NewClient();

        List<Delivery> first = await TakeAsync(client, s_options with { Position = StartPosition.Earliest }, 40);
        List<Delivery> second = await TakeAsync(client, s_options with { ResumeToken = first[^1].ResumeToken }, 60);

        Assert.Equal(Enumerable.Range(40, 60), second.Select(delivery => Numbers.Of(delivery.Update!)));
    }

    [Fact]
    public async Task A_subscription_that_was_ended_for_being_slow_goes_on_and_misses_nothing()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync(
            topics: new TopicOptions { MaxLagMessages = 50 });
        await host.PublishAsync(0, 1);
        using IngestClient client = host.NewClient();
        var lost = new List<RpcException>();
        using var enough = new CancellationTokenSource(s_limit);
        var numbers = new List<int>();

        await foreach (Delivery delivery in client.SubscribeAsync(
            s_options with { Position = StartPosition.Earliest, CreditMessages = 10, Disconnected = lost.Add },
            enough.Token))
        {
            numbers.Add(Numbers.Of(delivery.Update!));
            if (numbers.Count == 1)
            {
                await host.PublishAsync(1, 999);
            }

            if (numbers.Count == 1000)
            {
                break;
            }
        }

        Assert.Equal(Enumerable.Range(0, 1000), numbers);
        Assert.NotEmpty(lost);
        Assert.All(lost, fault => Assert.Equal(StatusCode.ResourceExhausted, fault.StatusCode));
    }

    [Fact]
    public async Task A_named_subscription_goes_on_behind_what_was_handled()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync();
        using IngestClient client = host.NewClient();
        SubscribeOptions options = s_options with { Name = "desk", AckInterval = TimeSpan.FromHours(1) };
        using (var stop = new CancellationTokenSource())
        {
            // The place is kept from the first ack on.
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                await foreach (Delivery delivery in client.SubscribeAsync(
                    options with { Started = started => _ = host.PublishAsync(0, 100) }, stop.Token))
                {
                    if (Numbers.Of(delivery.Update!) == 29)
                    {
                        await stop.CancelAsync();
                    }
                }
            });
        }

        List<Delivery> rest = await TakeAsync(client, options, 70);

        Assert.Equal(Enumerable.Range(30, 70), rest.Select(delivery => Numbers.Of(delivery.Update!)));
    }

    [Fact]
    public async Task What_cannot_be_is_thrown_and_not_tried_again()
    {
        SubscriptionHost host = await SubscriptionHost.StartAsync();
        using IngestClient client = host.NewClient();
        var refused = await Assert.ThrowsAsync<RpcException>(
            () => TakeAsync(client, s_options with { Topics = ["no topic"] }, 1));
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Equal(
            "request[0].start.topics[0]", refused.FindDetail<Google.Rpc.BadRequest>()!.FieldViolations[0].Field);

        await host.DisposeAsync();
        var gone = await Assert.ThrowsAsync<RpcException>(() => TakeAsync(client, s_options, 1));
        Assert.Equal(StatusCode.Unavailable, gone.StatusCode);
        Assert.Throws<ArgumentException>(() => client.SubscribeAsync(s_options with { Topics = [] }));
        Assert.Throws<ArgumentException>(
            () => client.SubscribeAsync(s_options with { ResumeToken = "x", Position = StartPosition.New }));
    }

    [Fact]
    public async Task A_wait_for_updates_ends_when_it_is_cancelled()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync();
        using IngestClient client = host.NewClient();
        using var stop = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (
                Delivery _ in client.SubscribeAsync(s_options with { Started = _ => stop.CancelAfter(1) }, stop.Token))
            {
            }
        }).WaitAsync(s_limit);

        await Wait.UntilAsync(() => host.Sessions.Count == 0, "the server sees it");
    }

    private static async Task<List<Delivery>> TakeAsync(IngestClient client, SubscribeOptions options, int count)
    {
        using var limit = new CancellationTokenSource(s_limit);
        var deliveries = new List<Delivery>();
        await foreach (Delivery delivery in client.SubscribeAsync(options, limit.Token))
        {
            deliveries.Add(delivery);
            if (deliveries.Count == count)
            {
                break;
            }
        }

        return deliveries;
    }
}
