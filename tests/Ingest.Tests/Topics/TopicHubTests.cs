using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Tests.Topics;

public sealed class TopicHubTests
{
    [Fact]
    public async Task An_update_reaches_those_that_follow_its_topic()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        using Subscription alerts = await server.SubscribeAsync();
        using Subscription others = await server.SubscribeAsync(topic: "eta-predictions");
        ValueTask<bool> more = alerts.WaitToReadAsync();
        TopicUpdate update = await server.Hub.PublishAsync("alerts", "driver-1", TopicServer.Alert(1));
        Assert.True(await more);
        Assert.True(alerts.TryRead(out SubscriptionItem item));
        Assert.Same(update, item.Update);
        Assert.Equal((0, "driver-1", "alerts"), (update.Offset, update.Key, update.Topic));
        Assert.Equal(TopicServer.Alert(1), update.Content.Alert);
        Assert.False(alerts.TryRead(out _));
        Assert.False(others.TryRead(out _));
    }

    [Fact]
    public async Task The_bytes_of_an_update_are_the_message_and_a_token_may_be_appended()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        TopicUpdate update = (await server.PublishAsync(0, 2))[1];
        var expected = new Update
        {
            Topic = "alerts", Key = "key-0", Epoch = update.Epoch, Offset = 1,
            EmittedAt = Timestamp.FromDateTimeOffset(update.EmittedAt), Alert = TopicServer.Alert(1, Severity.Warning),
        };
        Assert.Equal(expected.ToByteArray(), update.Message.ToArray());
        byte[] token = [42, 2, (byte)'t', (byte)'k'];
        expected.ResumeToken = "tk";
        Assert.Equal(expected, Update.Parser.ParseFrom([.. update.Message.Span, .. token]));
        expected.ResumeToken = "";
        Assert.Equal(expected, JsonParser.Default.Parse<Update>(System.Text.Encoding.UTF8.GetString(update.Json.Span)));
        Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(update.Json).RootElement.ValueKind);
    }

    [Fact]
    public async Task A_topic_has_offsets_from_0_without_gaps_however_many_publish()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        TopicUpdate[][] updates = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(i => Task.Run(() => server.PublishAsync(i * 500, 500, keys: 7))));
        Assert.Equal(
            Enumerable.Range(0, 2000).Select(n => (long)n), updates.SelectMany(u => u).Select(u => u.Offset).Order());
        Assert.All(updates, own => Assert.Equal(own.Select(u => u.Offset).Order(), own.Select(u => u.Offset)));
        TopicStatus status = server.Hub.Topics.Single(topic => topic.Name == "alerts");
        Assert.Equal((2000, 0, 2000), (status.NextOffset, status.OldestOffset, status.Count));
    }

    [Fact]
    public async Task Topics_of_one_table_have_offsets_of_their_own()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        Task<TopicUpdate>[] updates =
        [
            .. Enumerable.Range(0, 300).Select(n => server.Hub.PublishAsync($"mine.{n % 3}", "k", new Struct
            {
                Fields = { ["n"] = Value.ForNumber(n) },
            }).AsTask()),
        ];
        foreach (var topic in (await Task.WhenAll(updates)).GroupBy(update => update.Topic))
        {
            Assert.Equal(Enumerable.Range(0, 100).Select(n => (long)n), topic.Select(update => update.Offset));
        }
    }

    [Theory]
    [InlineData("a..b", "topic")]
    [InlineData("a.*", "topic")]
    [InlineData("", "topic")]
    [InlineData("eta-predictions", "payload")]
    public async Task What_cannot_be_published_is_refused_with_the_field(string topic, string field)
    {
        await using TopicServer server = await TopicServer.StartAsync();
        TopicException fault = await Assert.ThrowsAsync<TopicException>(
            () => server.Hub.PublishAsync(topic, "k", TopicServer.Alert(1)).AsTask());
        Assert.Equal(field, fault.Field);
    }

    [Fact]
    public async Task A_payload_that_makes_no_row_is_refused_and_gets_no_offset()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        var fields = new Struct { Fields = { [new string('n', 100_000)] = Value.ForBool(true) } };
        Task<TopicUpdate> bad = server.Hub.PublishAsync("mine", "k", fields).AsTask();
        Task<TopicUpdate> good = server.Hub.PublishAsync("mine", "k", new Struct()).AsTask();
        Assert.Equal("payload", (await Assert.ThrowsAsync<TopicException>(() => bad)).Field);
        Assert.Equal(0, (await good).Offset);
    }

    [Fact]
    public async Task A_topic_keeps_to_one_kind_of_payload_and_there_are_only_so_many_topics()
    {
        await using TopicServer server = await TopicServer.StartAsync(new TopicOptions { MaxTopics = 8 });
        await server.Hub.PublishAsync("mine", "k", new Struct());
        await Assert.ThrowsAsync<TopicException>(
            () => server.Hub.PublishAsync("mine", "k", TopicServer.Alert(1)).AsTask());
        for (int i = 0; i < 3; i++)
        {
            await server.Hub.PublishAsync($"mine.{i}", "k", new Struct());
        }

        TopicException fault = await Assert.ThrowsAsync<TopicException>(
            () => server.Hub.PublishAsync("mine.4", "k", new Struct()).AsTask());
        Assert.Contains("Ingest:Topics:MaxTopics", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_flush_is_tried_again_with_the_same_offsets()
    {
        var disk = new Tests.Log.RecordingFiles();
        await using TopicServer server = await TopicServer.StartAsync(disk: disk);
        await server.PublishAsync(0, 3);
        int failures = 0;
        disk.Before = call =>
        {
            if (call.Name == "flush" && call.Path.Contains("alerts", StringComparison.Ordinal) && failures++ < 3)
            {
                throw new IOException("no");
            }
        };
        using Subscription subscription = await server.SubscribeAsync(StartPosition.Earliest);
        TopicUpdate[] updates = await server.PublishAsync(3, 5);
        Assert.True(failures > 3);
        Assert.Equal([3, 4, 5, 6, 7], updates.Select(update => update.Offset));
        Assert.Equal("0 1 2 3 4 5 6 7", (await subscription.ReadToAsync(8)).Text());
        disk.Before = null;
        await server.RestartAsync();
        Assert.Equal(8, (await server.PublishAsync(8, 1))[0].Offset);
    }

    [Fact]
    public async Task Those_that_do_not_wait_for_their_updates_are_refused_when_too_many_wait()
    {
        const int bound = 64 << 10;
        using var gate = new ManualResetEventSlim();
        var isFlushing = new TaskCompletionSource();
        var disk = new Tests.Log.RecordingFiles();
        await using TopicServer server = await TopicServer.StartAsync(
            new TopicOptions { MaxPendingBytes = bound }, disk: disk);
        disk.Before = call =>
        {
            if (call.Name == "flush" && call.Path.Contains("alerts", StringComparison.Ordinal))
            {
                isFlushing.TrySetResult();
                gate.Wait();
            }
        };
        Task<TopicUpdate> first = server.Hub.PublishAsync("alerts", "k", TopicServer.Alert(0)).AsTask();
        await isFlushing.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var taken = new List<Task<TopicUpdate>> { first };
        TopicFullException? refusal = null;
        try
        {
            while (refusal is null && taken.Count < 10_000)
            {
                try
                {
                    taken.Add(server.Hub.PublishAsync("alerts", "k", TopicServer.Alert(taken.Count)).AsTask());
                }
                catch (TopicFullException e)
                {
                    refusal = e;
                }
            }

            Assert.Contains("Ingest:Topics:MaxPendingBytes", refusal?.Message);
            Assert.False(server.Hub.TryPublish("alerts", "k", TopicServer.Alert(0), out _));
            Task room = server.Hub.WaitForRoomAsync(TopicServer.Alert(0));
            Assert.False(room.IsCompleted);
            gate.Set();
            await room.WaitAsync(TimeSpan.FromSeconds(30));
        }
        finally
        {
            gate.Set();
        }

        long[] offsets = [.. (await Task.WhenAll(taken)).Select(update => update.Offset)];
        Assert.Equal(Enumerable.Range(0, taken.Count).Select(n => (long)n), offsets);
        Assert.True(server.Hub.TryPublish("alerts", "k", TopicServer.Alert(0), out ValueTask<TopicUpdate> next));
        Assert.Equal(taken.Count, (await next).Offset);
    }

    [Fact]
    public async Task A_hub_that_stops_ends_its_subscriptions_and_refuses_updates()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        using Subscription subscription = await server.SubscribeAsync(StartPosition.Earliest);
        ValueTask<bool> more = subscription.WaitToReadAsync();
        await server.Hub.StopAsync();
        Assert.False(await more);
        Assert.Equal(SubscriptionEnd.HubStopped, subscription.End);
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => server.Hub.PublishAsync("alerts", "k", TopicServer.Alert(1)).AsTask());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => server.SubscribeAsync());
    }

    [Fact]
    public async Task A_wait_ends_when_it_is_cancelled_or_the_subscription_is_disposed()
    {
        await using TopicServer server = await TopicServer.StartAsync();
        using Subscription subscription = await server.SubscribeAsync();
        using var cancel = new CancellationTokenSource();
        ValueTask<bool> cancelled = subscription.WaitToReadAsync(cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => cancelled.AsTask());
        ValueTask<bool> more = subscription.WaitToReadAsync();
        await server.PublishAsync(0, 1);
        Assert.True(await more);
        subscription.Read();
        ValueTask<bool> ended = subscription.WaitToReadAsync();
        Assert.Single(server.Hub.Subscriptions);
        subscription.Dispose();
        Assert.False(await ended);
        Assert.Equal(SubscriptionEnd.Disposed, subscription.End);
        Assert.Empty(server.Hub.Subscriptions);
        Assert.All(server.Hub.Topics, topic => Assert.Equal(0, topic.Subscribers));
    }
}
