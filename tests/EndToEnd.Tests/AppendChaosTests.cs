using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace Ingest.EndToEnd.Tests;

/// <summary>
/// kill -9 at random moments under producers that resume: what was acknowledged is in the store once. 200 kills when
/// INGEST_CHAOS is "long", as many as it says when it is a number, a few otherwise.
/// </summary>
[Trait("Category", "Chaos")]
public sealed class AppendChaosTests(ITestOutputHelper output)
{
    private const int Producers = 8;

    // What each producer is at, for when the test fails.
    private static readonly string[] s_doing = new string[Producers];

    private static readonly int s_kills = Environment.GetEnvironmentVariable("INGEST_CHAOS") switch
    {
        "long" => 200,
        { } text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int kills) => kills,
        _ => 4,
    };

    [SkippableFact]
    public async Task After_kills_every_acknowledged_row_of_8_producers_is_there_once()
    {
        Engine.Require();
        var addresses = new Addresses();
        using var stop = new CancellationTokenSource();
        var acknowledged = new long[Producers];
        var random = new Random();
        int killsInRecovery = 0;
        ServerProcess server = await ServerProcess.StartAsync();
        addresses.Current = server.GrpcAddress;
        Task[] producers = [.. Enumerable.Range(0, Producers).Select(
            producer => ProduceAsync(producer, addresses, acknowledged, stop.Token))];
        try
        {
            for (int kill = 1; kill <= s_kills; kill++)
            {
                // Once rows of each were acknowledged, at any moment: in mid-append, at an fsync, a seal, an insert.
                await ProgressAsync(acknowledged, producers);
                long until = Stopwatch.GetTimestamp() + (long)(random.NextDouble() * 1.5 * Stopwatch.Frequency);
                while (Stopwatch.GetTimestamp() < until)
                {
                    await Task.Delay(1);
                }

                addresses.Current = null;
                await server.KillAsync();
                for (; kill < s_kills && random.Next(2) == 0; kill++)
                {
                    await ServerProcess.KillStartingAsync(
                        server.DataDirectory, TimeSpan.FromMilliseconds(random.NextDouble() * (random.Next(2) == 0 ? 10 : 300)));
                    killsInRecovery++;
                }

                server = await ServerProcess.StartAsync(server.DataDirectory);
                addresses.Current = server.GrpcAddress;
            }

            await ProgressAsync(acknowledged, producers);
            await stop.CancelAsync();
            await Task.WhenAll(producers);
            for (int producer = 0; producer < Producers; producer++)
            {
                await ExpectOnceAsync(server, producer, acknowledged[producer]);
            }

            output.WriteLine(
                $"{s_kills} kills, {killsInRecovery} of them at start; {acknowledged.Sum()} rows acknowledged");
        }
        finally
        {
            await stop.CancelAsync();
            await server.DisposeAsync();
        }
    }

    private static async Task ExpectOnceAsync(ServerProcess server, int producer, long acknowledged)
    {
        Assert.True(acknowledged > 0, "nothing was acknowledged: the test shows nothing");
        string rows = $"FROM gps_points WHERE driver_id = 'driver-{producer}'";
        await server.ExpectAsync(
            $"{acknowledged}\t{acknowledged}",
            $"SELECT count(), uniqExact(toUInt64(order_id)) {rows} AND toUInt64(order_id) < {acknowledged}");
        string[] all = (await server.QueryAsync($"SELECT count(), uniqExact(order_id) {rows}")).Split('\t');
        Assert.Equal(all[0], all[1]);
    }

    // Every producer was acknowledged something since.
    private static async Task ProgressAsync(long[] acknowledged, Task[] producers)
    {
        long[] before = [.. acknowledged];
        var clock = Stopwatch.StartNew();
        while (acknowledged.Zip(before).Any(pair => pair.First <= pair.Second))
        {
            // Cancelled ones too: a task that an OperationCanceledException ended is not faulted.
            foreach (Task ended in producers.Where(producer => producer.IsCompleted))
            {
                await ended;
                Assert.Fail("a producer has ended");
            }

            Assert.True(
                clock.Elapsed < TimeSpan.FromSeconds(60),
                $"no progress in 60 s: {string.Join(", ", acknowledged.Zip(before))}; {string.Join(", ", s_doing)}");
            await Task.Delay(1);
        }
    }

    // Row N of a producer has order id N: what was acknowledged is every number below the acknowledged offset.
    private static async Task ProduceAsync(
        int producer, Addresses addresses, long[] acknowledged, CancellationToken stop)
    {
        var random = new Random(producer);
        long epoch = 0;
        while (!stop.IsCancellationRequested)
        {
            if (addresses.Current is not { } address)
            {
                await Task.Delay(5, CancellationToken.None);
                continue;
            }

            try
            {
                s_doing[producer] = $"opening at {address}";
                await using AppendCall call = await AppendCall.OpenAsync(address, $"producer-{producer}", ++epoch);
                Assert.NotNull(call.Opened);
                Assert.True(
                    call.Opened.DurableOffset >= acknowledged[producer],
                    $"{call.Opened.DurableOffset} is durable, {acknowledged[producer]} were acknowledged");
                s_doing[producer] = $"sending at {address}";
                await SendAsync(call, producer, acknowledged, random, stop);
            }
            catch (Exception error) when (error is HttpRequestException or IOException or TimeoutException)
            {
                // Killed. What was not acknowledged is sent again.
                s_doing[producer] = error.Message;
            }
        }
    }

    private static async Task SendAsync(
        AppendCall call, int producer, long[] acknowledged, Random random, CancellationToken stop)
    {
        long next = call.Opened!.DurableOffset;
        while (!stop.IsCancellationRequested)
        {
            // Some messages are under way at a time; some rows are sent again.
            for (int message = random.Next(1, 4); message > 0; message--)
            {
                long first = Math.Max(0, next - random.Next(3));
                int count = random.Next(5, 50);
                call.SendPoints(first, count, $"driver-{producer}");
                next = first + count;
            }

            await call.DurableAsync(next);
            Assert.Empty(call.Refusals);
            Volatile.Write(ref acknowledged[producer], call.Ack.DurableOffset);
        }
    }

    private sealed class Addresses
    {
        private volatile string? _current;

        /// <summary>Where the server is; null while there is none.</summary>
        public string? Current
        {
            get => _current;
            set => _current = value;
        }
    }
}
