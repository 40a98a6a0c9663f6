using Google.Protobuf;
using Google.Rpc;
using Ingest.Server.Services;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>SubscriptionService as a client meets it on the wire.</summary>
public sealed class SubscribeTests
{
    private const int Ok = 0;
    private const int InvalidArgument = 3;
    private const int ResourceExhausted = 8;
    private const int Unavailable = 14;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Updates_come_in_order_and_each_token_goes_on_behind_its_update()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync();
        await host.PublishAsync(0, 3);
        await using SubscribeCall call = await SubscribeCall.StartAsync(host.Address);
        await host.PublishAsync(3, 500);

        List<Update> updates = await call.ReadUpdatesAsync(500);

        Assert.Equal(Enumerable.Range(3, 500), updates.Select(Numbers.Of));
        Assert.Equal(Enumerable.Range(3, 500).Select(i => (long)i), updates.Select(update => update.Offset));
        TopicPosition position = Assert.Single(call.Started!.Positions);
        Assert.Equal((SubscriptionHost.Topic, 3, true), (position.Topic, position.Offset, position.Recovered));
        Assert.Equal(position.Epoch, updates[0].Epoch);
        foreach (int at in new[] { 0, 250, 498 })
        {
            await using SubscribeCall later = await SubscribeCall.StartAsync(
                host.Address, start => start.ResumeToken = updates[at].ResumeToken);
            Assert.Equal(updates.Skip(at + 1), await later.ReadUpdatesAsync(499 - at));
        }

        await using SubscribeCall again = await SubscribeCall.StartAsync(
            host.Address, start => start.ResumeToken = call.Started!.ResumeToken);
        Assert.Equal(updates, await again.ReadUpdatesAsync(500));
    }

    [Fact]
    public async Task Updates_of_every_size_come_whole_also_compressed_by_nobody()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync();
        await using SubscribeCall call = await SubscribeCall.StartAsync(host.Address);
        int[] sizes = [0, 1, 100, 4000, 4096, 5000, 14 * 1024, 16_384, 70_000, 1_000_000];
        foreach (int size in sizes)
        {
            var payload = Numbers.Payload(size);
            payload.Fields["text"] = Google.Protobuf.WellKnownTypes.Value.ForString(new string('ä', size));
            await host.Hub.PublishAsync(SubscriptionHost.Topic, "key", payload);
        }

        List<Update> updates = await call.ReadUpdatesAsync(sizes.Length);

        Assert.Equal(sizes, updates.Select(Numbers.Of));
        Assert.Equal(sizes, updates.Select(update => update.Custom.Fields["text"].StringValue.Length));
    }

    [Theory]
    [InlineData("request[0]", "{}")]
    [InlineData("request[0]", """{"credit":{"messages":"1"}}""")]
    [InlineData("request[0].start.topics", """{"start":{}}""")]
    [InlineData("request[0].start.topics[1]", """{"start":{"topics":["a","a..b"]}}""")]
    [InlineData("request[0].start.credit_messages", """{"start":{"topics":["a"],"creditMessages":"-1"}}""")]
    [InlineData("request[0].start.overflow", """{"start":{"topics":["a"],"overflow":99}}""")]
    [InlineData("request[0].start.position", """{"start":{"topics":["a"],"position":99}}""")]
    [InlineData("request[0].start.resume_token", """{"start":{"topics":["a"],"resumeToken":""}}""")]
    [InlineData("request[0].start.resume_token", """{"start":{"topics":["a"],"resumeToken":"nonsense"}}""")]
    public async Task A_start_that_cannot_be_is_refused_with_the_field(string field, string request)
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync();

        await using SubscribeCall call = await SubscribeCall.StartAsync(
            host.Address, JsonParser.Default.Parse<SubscribeRequest>(request));

        Assert.Null(call.Started);
        (int status, string message) = await call.EndAsync();
        Assert.Equal(InvalidArgument, status);
        Assert.NotEmpty(message);
        Assert.True(call.Details().Details[0].TryUnpack(out BadRequest details));
        Assert.Equal(field, Assert.Single(details.FieldViolations).Field);
        Assert.Equal(0, host.Sessions.Count);
    }

    [Theory]
    [InlineData("request[1]", """{"start":{"topics":["a"]}}""")]
    [InlineData("request[1]", "{}")]
    [InlineData("request[1].credit", """{"credit":{"messages":"1"}}""")]
    [InlineData("request[1].ack.resume_token", """{"ack":{"resumeToken":"nonsense"}}""")]
    public async Task A_later_request_that_cannot_be_ends_the_call_with_its_number(string field, string request)
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync();
        await using SubscribeCall call = await SubscribeCall.StartAsync(host.Address);

        call.Send(JsonParser.Default.Parse<SubscribeRequest>(request));

        Assert.Equal(InvalidArgument, (await call.EndAsync()).Status);
        Assert.True(call.Details().Details[0].TryUnpack(out BadRequest details));
        Assert.Equal(field, Assert.Single(details.FieldViolations).Field);
    }

    [Fact]
    public async Task Bytes_that_are_no_request_end_the_call()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync();
        await using SubscribeCall call = await SubscribeCall.StartAsync(host.Address);

        call.Send(PointFrames.Frame([0x0a, 0x05, 1]));

        Assert.Equal(InvalidArgument, (await call.EndAsync()).Status);
    }

    [Fact]
    public async Task No_more_comes_than_there_is_credit_for_and_who_gives_no_more_is_done_with_the_last()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync(
            new SubscribeOptions { HeartbeatPeriod = TimeSpan.FromMilliseconds(100) });
        await using SubscribeCall call = await SubscribeCall.StartAsync(
            host.Address, start => start.CreditMessages = 5);
        await host.PublishAsync(0, 100);

        List<Update> first = await call.ReadUpdatesAsync(5);
        SubscribeResponse? next = await call.ReadAsync();
        Assert.Equal(first[^1].ResumeToken, next!.Heartbeat.ResumeToken);
        call.Send(new SubscribeRequest { Credit = new SubscribeCredit { Messages = 30 } });
        call.Send(new SubscribeRequest { Credit = new SubscribeCredit { Messages = 20 } });
        call.Complete();

        List<Update> second = await call.ReadUpdatesAsync(50);
        Assert.Equal(Enumerable.Range(0, 55), first.Concat(second).Select(Numbers.Of));
        Assert.Equal((Ok, ""), await call.EndAsync());
    }

    [Fact]
    public async Task Who_half_closes_behind_start_is_served_until_it_leaves()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync();
        await using (SubscribeCall call = await SubscribeCall.StartAsync(host.Address))
        {
            call.Complete();
            await host.PublishAsync(0, 10);
            Assert.Equal(Enumerable.Range(0, 10), (await call.ReadUpdatesAsync(10)).Select(Numbers.Of));
        }

        await Wait.UntilAsync(() => host.Sessions.Count == 0 && host.Hub.Subscriptions.Count == 0, "it is gone");
    }

    [Fact]
    public async Task A_silent_subscription_gets_heartbeats_and_their_token_goes_on()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync(
            new SubscribeOptions { HeartbeatPeriod = TimeSpan.FromMilliseconds(100) });
        await using SubscribeCall call = await SubscribeCall.StartAsync(
            host.Address, start => start.Keys.Add("nobody"));
        await host.PublishAsync(0, 20);
        await Wait.UntilAsync(() => host.Hub.Subscriptions.Single().LagMessages == 0, "it has looked at all");

        // Those before it may still be on their way, when the machine is busy.
        DateTimeOffset looked = DateTimeOffset.UtcNow;
        SubscribeResponse? heartbeat;
        do
        {
            heartbeat = await call.ReadAsync();
        }
        while (heartbeat!.Heartbeat.At.ToDateTimeOffset() <= looked);

        Assert.InRange(
            DateTimeOffset.UtcNow - heartbeat.Heartbeat.At.ToDateTimeOffset(), TimeSpan.FromSeconds(-1), s_limit);
        await using SubscribeCall later = await SubscribeCall.StartAsync(
            host.Address, start => start.ResumeToken = heartbeat.Heartbeat.ResumeToken);
        await host.PublishAsync(20, 1);
        Assert.Equal([20], (await later.ReadUpdatesAsync(1)).Select(Numbers.Of));
    }

    [Fact]
    public async Task Subscriptions_beyond_the_limits_are_told_to_come_back()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync(
            new SubscribeOptions { MaxSubscriptionsPerSender = 2 });
        SubscribeCall first = await SubscribeCall.StartAsync(host.Address);
        await using SubscribeCall second = await SubscribeCall.StartAsync(host.Address);

        await using (SubscribeCall third = await SubscribeCall.StartAsync(host.Address))
        {
            Assert.Null(third.Started);
            (int status, string message) = await third.EndAsync();
            Assert.Equal(ResourceExhausted, status);
            Assert.Contains("MaxSubscriptionsPerSender", message, StringComparison.Ordinal);
            Assert.True(third.Details().Details[0].TryUnpack(out RetryInfo _));
        }

        await first.DisposeAsync();
        await Wait.UntilAsync(() => host.Sessions.Count == 1, "a place is free");
        await using SubscribeCall fourth = await SubscribeCall.StartAsync(host.Address);
        Assert.NotNull(fourth.Started);
        Assert.Equal(1, host.Sessions.Refusals);
    }

    [Fact]
    public async Task Who_falls_behind_and_wants_to_be_ended_then_gets_the_token_that_goes_on()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync(
            topics: new TopicOptions { MaxLagMessages = 50 });
        await using SubscribeCall call = await SubscribeCall.StartAsync(
            host.Address, start => (start.CreditMessages, start.Overflow) = (10, OverflowPolicy.Disconnect));
        await host.PublishAsync(0, 10);
        await call.ReadUpdatesAsync(10);
        await host.PublishAsync(10, 190);

        call.Send(new SubscribeRequest { Credit = new SubscribeCredit { Messages = 10 } });
        (int status, string message) = await call.EndAsync();

        Assert.Equal(ResourceExhausted, status);
        string token = call.Status()["ingest-resume-token"];
        Assert.Contains(token, message, StringComparison.Ordinal);
        await using SubscribeCall next = await SubscribeCall.StartAsync(
            host.Address, start => start.ResumeToken = token);
        Assert.Equal(Enumerable.Range(10, 190), (await next.ReadUpdatesAsync(190)).Select(Numbers.Of));
    }

    [Fact]
    public async Task A_gap_comes_in_band_with_a_token()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync(
            topics: new TopicOptions { MaxLagMessages = 50 });
        await using SubscribeCall call = await SubscribeCall.StartAsync(
            host.Address, start => (start.CreditMessages, start.Overflow) = (10, OverflowPolicy.DropOldest));
        await host.PublishAsync(0, 10);
        await call.ReadUpdatesAsync(10);
        await host.PublishAsync(10, 190);

        call.Send(new SubscribeRequest { Credit = new SubscribeCredit { Messages = 1000 } });
        Gap gap = (await call.ReadAsync())!.Gap;

        Assert.Equal((10, GapReason.Dropped), (gap.FromOffset, gap.Reason));
        Assert.Equal(gap.ToOffset - gap.FromOffset, gap.DroppedCount);
        int left = 200 - (int)gap.ToOffset;
        List<Update> rest = await call.ReadUpdatesAsync(left);
        Assert.Equal(Enumerable.Range((int)gap.ToOffset, left), rest.Select(Numbers.Of));
        await using SubscribeCall behind = await SubscribeCall.StartAsync(
            host.Address, start => start.ResumeToken = gap.ResumeToken);
        Assert.Equal(rest, await behind.ReadUpdatesAsync(left));
    }

    [Fact]
    public async Task A_server_that_stops_says_so_in_band_serves_on_and_ends_with_a_token()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync(
            new SubscribeOptions { DrainDelay = TimeSpan.FromMilliseconds(300) });
        await using SubscribeCall call = await SubscribeCall.StartAsync(host.Address);
        await host.PublishAsync(0, 1);
        await call.ReadUpdatesAsync(1);

        Task<bool> drain = host.Drain.RunAsync(s_limit);
        SubscribeDraining draining = (await call.ReadAsync())!.Draining;
        await host.PublishAsync(1, 1);

        Update late = Assert.Single(await call.ReadUpdatesAsync(1));
        Assert.Equal(1, Numbers.Of(late));
        Assert.Equal(300, draining.After.ToTimeSpan().TotalMilliseconds);
        Assert.Equal(Unavailable, (await call.EndAsync()).Status);
        Assert.Equal(late.ResumeToken, call.Status()["ingest-resume-token"]);
        Assert.True(await drain);
        Assert.Equal(0, host.Sessions.Count);
    }
}
