using Ingest.Client;
using Ingest.Protocol;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>
/// A server that is killed under its subscribers: they go on, or are told exactly what cannot be given.
/// </summary>
public sealed class KilledServerTests
{
    private const int GrpcSubscribers = 4;
    private const int PerRound = 400;
    private static readonly int s_rounds = Environment.GetEnvironmentVariable("INGEST_CHAOS") == "long" ? 30 : 3;
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2 + s_rounds);

    [SkippableFact]
    [Trait("Category", "Chaos")]
    public async Task Subscribers_of_a_server_that_is_killed_miss_nothing_and_get_nothing_twice()
    {
        await using EchoServer server = await EchoServer.StartAsync();
        using var stop = new CancellationTokenSource(s_limit);
        await server.PublishAsync(0, 1);
        Ledger[] ledgers = [.. Enumerable.Range(0, GrpcSubscribers + 3).Select(_ => new Ledger())];
        string http = server.Process.HttpAddress;
        var bySocket = new WebFollower(http, ledgers[^1], WebTransport.Socket);
        var byEvents = new WebFollower(http, ledgers[^2], WebTransport.Events);
        var byBoth = new WebFollower(http, ledgers[^3], WebTransport.Events, WebTransport.Socket);
        WebFollower[] followers = [bySocket, byEvents, byBoth];
        Task[] following =
        [
            .. Enumerable.Range(0, GrpcSubscribers).Select(i => FollowAsync(server.Address, i, ledgers[i], stop.Token)),
            .. followers.Select(follower => follower.RunAsync(stop.Token)),
        ];
        int lost = 0;
        for (int round = 0; round < s_rounds; round++)
        {
            int turn = round + 1;
            await Wait.UntilAsync(
                () => followers.All(follower => follower.Turns.Count == turn), "all follow the server that is killed");

            // Killed at any moment: what was not acknowledged may be there or not, and is not sent again.
            Task publishing = server.PublishAsync(1 + (round * PerRound), PerRound);
            await Task.Delay(Random.Shared.Next(5, 90));
            await server.ReplaceKilledAsync();
            lost += await LandedAsync(publishing) ? 0 : 1;
        }

        await server.PublishAsync(-1, 1);
        await Task.WhenAll(following).WaitAsync(s_limit);

        string rows = await AllRowsAsync(server);
        foreach (Ledger ledger in ledgers)
        {
            Assert.Equal(rows, Text(ledger));
        }

        // The token of one transport went on on the other behind every kill.
        Assert.Equal(
            Enumerable.Range(0, s_rounds + 1).Select(i => i % 2 == 0 ? WebTransport.Events : WebTransport.Socket),
            byBoth.Turns);

        // Without a failed round nothing was under way when the server was killed.
        Assert.True(lost > 0 || ledgers[0].Updates.Count == 2 + (s_rounds * PerRound), $"{ledgers[0].Updates.Count}");
    }

    // Some end themselves and go on by the token, some are ended for being slow.
    private static async Task FollowAsync(string address, int number, Ledger ledger, CancellationToken stop)
    {
        using var client = new IngestClient(new Uri(address));
        string? token = null;
        while (true)
        {
            var options = new SubscribeOptions
            {
                Topics = [SubscriptionHost.Topic],
                Position = token is null ? StartPosition.Earliest : StartPosition.Unspecified,
                ResumeToken = token,
                Overflow = number % 2 == 0 ? OverflowPolicy.Block : OverflowPolicy.Unspecified,
                CreditMessages = 1 + (number * 50),
                ReconnectDelay = TimeSpan.FromMilliseconds(20),
                MaxReconnectDelay = TimeSpan.FromMilliseconds(200),
            };
            int left = number < 2 ? int.MaxValue : 150;
            try
            {
                await foreach (Delivery delivery in client.SubscribeAsync(options, stop))
                {
                    ledger.Add(delivery);
                    token = delivery.ResumeToken;
                    if (delivery.Update is { } update && Numbers.Of(update) == -1)
                    {
                        return;
                    }

                    if (--left == 0)
                    {
                        break;
                    }
                }
            }
            catch (RpcException fault) when (fault.StatusCode == StatusCode.Unavailable)
            {
                // Begun while there is no server.
                await Task.Delay(20, stop);
            }
        }
    }

    private static async Task<bool> LandedAsync(Task publishing)
    {
        try
        {
            await publishing;
            return true;
        }
        catch (Exception error) when (error is RpcException or IOException)
        {
            return false;
        }
    }

    private static async Task<string> AllRowsAsync(EchoServer server)
    {
        const string columns =
            "SELECT epoch, `offset` FROM custom_updates WHERE topic = '" + SubscriptionHost.Topic + "'";
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            // The last one is in the store when all are.
            string rows = await server.Process.QueryAsync($"{columns} ORDER BY emitted_at, `offset`");
            string last = await server.Process.QueryAsync(
                $"SELECT count() FROM events WHERE event_id = '-1'");
            if (last == "1" && rows.Length > 0 && rows.Split('\n').Length == rows.Split('\n').Distinct().Count()
                && clock.Elapsed > TimeSpan.FromSeconds(2))
            {
                return rows;
            }

            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), rows);
            await Task.Delay(50);
        }
    }

    private static string Text(Ledger ledger) =>
        string.Join('\n', ledger.Updates.Keys.Select(place => $"{place.Epoch}\t{place.Offset}"));
}
