using System.Diagnostics;
using Xunit.Abstractions;

namespace Ingest.EndToEnd.Tests;

/// <summary>
/// Faults of the store under 8 producers that resume, on 1 and on 3 shards: what was acknowledged STORED is there once,
/// and in the end what was acknowledged DURABLE; acknowledgements go on while the store is away. Each fault lasts 60 s
/// when INGEST_CHAOS is "long"; otherwise a second, and 4 s where one is about time.
/// </summary>
[Trait("Category", "Chaos")]
public sealed class StoreChaosTests(ITestOutputHelper output)
{
    private const int Producers = 8;

    private static readonly bool s_long = Environment.GetEnvironmentVariable("INGEST_CHAOS") == "long";
    private static readonly TimeSpan s_fault = TimeSpan.FromSeconds(s_long ? 60 : 1);

    // Longer than an insert's timeout.
    private static readonly TimeSpan s_outage = TimeSpan.FromSeconds(s_long ? 60 : 4);

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_store_that_fails_in_every_way_has_every_row_once(int shards)
    {
        await using StoreShards store = await StoreShards.StartAsync(shards);
        await using ServerProcess server = await ServerProcess.StartAsync(null, store.Settings);
        await using var load = new ProducerLoad(Producers, TimeSpan.FromMilliseconds(10)) { Address = server.GrpcAddress };
        await load.StoredAsync();
        StandIn first = store.Servers[0];

        await UnderAsync("every INSERT is answered 500", () => store.FaultAsync("fail 1000000"), store.HealAsync);
        await UnderAsync("every request is answered 500", () => store.FaultAsync("any-fail 1000000"), store.HealAsync);
        await UnderAsync("INSERTs are done and not answered", () => store.FaultAsync("silent 3"), store.HealAsync);
        await UnderAsync("INSERTs are done after the timeout", () => store.FaultAsync("afterwards 3"), store.HealAsync);
        await UnderAsync("INSERTs hang", () => store.FaultAsync("hang 3"), store.HealAsync);
        await UnderAsync("bodies are cut at every 1,000th byte", () => store.FaultAsync("cut 1000000"), store.HealAsync);
        await UnderAsync("faults by chance", () => store.FaultAsync("any-random 1000000"), store.HealAsync, s_outage);
        await UnderAsync(
            "all are stopped", () => EachAsync(s => s.SignalAsync("STOP")), () => EachAsync(s => s.SignalAsync("CONT")),
            s_outage);
        await UnderAsync("one is ended", first.StopAsync, first.StartAsync);
        await UnderAsync("one is killed in mid-insert", () => KillInInsertAsync(first), first.StartAsync);
        if (shards > 1)
        {
            await UnderAsync(
                "one is stopped", () => first.SignalAsync("STOP"), () => first.SignalAsync("CONT"), s_outage);
            await UnderAsync("all are killed", () => EachAsync(s => s.KillAsync()), () => EachAsync(s => s.StartAsync()));
        }

        await load.StopAsync();
        await ExpectAllAsync();

        async Task UnderAsync(string what, Func<Task> begin, Func<Task> end, TimeSpan? time = null)
        {
            var clock = Stopwatch.StartNew();
            await begin();
            int progress = 0;
            while (clock.Elapsed < (time ?? s_fault) || progress == 0)
            {
                await load.ProgressAsync();
                progress++;
            }

            await end();
            await load.StoredAsync();
            await store.ExpectOnceAsync(load.Stored, $"when {what}");
            output.WriteLine(
                $"{what}: {clock.Elapsed.TotalSeconds:0.0} s, {progress} acks of all, {load.Durable.Sum()} rows so far");
        }

        Task EachAsync(Func<StandIn, Task> act) => Task.WhenAll(store.Servers.Select(act));

        async Task ExpectAllAsync()
        {
            await WaitForStoreAsync(server);
            await store.ExpectOnceAsync(load.Durable, "in the end");
            Assert.DoesNotContain("quarantine", server.Messages, StringComparison.OrdinalIgnoreCase);
        }
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_server_killed_while_its_store_fails_has_every_row_stored_once(int shards)
    {
        await using StoreShards store = await StoreShards.StartAsync(shards);

        // A store that remembers no more than the last two tokens: what it has is known by counting alone.
        string[] settings = [.. store.Settings, "Store:DeduplicationWindow=2"];
        ServerProcess server = await ServerProcess.StartAsync(null, settings);
        await using var load = new ProducerLoad(Producers, TimeSpan.FromMilliseconds(10)) { Address = server.GrpcAddress };
        await load.StoredAsync();
        double spared = 0;
        for (int kill = 0; kill < (s_long ? 60 : 4); kill++)
        {
            Func<Task> begin = (kill % 4) switch
            {
                0 => () => store.FaultAsync("silent 1000000"),
                1 => () => EachAsync(s => s.SignalAsync("STOP")),
                2 => () => EachAsync(s => s.KillAsync()),
                _ => () => store.FaultAsync("any-random 1000000"),
            };
            await begin();
            await load.ProgressAsync();
            if (kill % 4 == 0)
            {
                // What was done and not answered is found by its rows, its token being forgotten.
                await EachAsync(ForgetTokensAsync);
                spared += await WaitForAsync(server, "ingest_store_inserts_spared_total", value => value > 0);
            }

            await Task.Delay(Random.Shared.Next(50), CancellationToken.None);
            load.Address = null;
            await server.KillAsync();
            await (kill % 4 == 1 ? EachAsync(s => s.SignalAsync("CONT"))
                : kill % 4 == 2 ? EachAsync(s => s.StartAsync()) : store.HealAsync());
            await EachAsync(ForgetTokensAsync);
            server = await ServerProcess.StartAsync(server.DataDirectory, settings);
            load.Address = server.GrpcAddress;
            await load.ProgressAsync();
            await load.StoredAsync();
            await store.ExpectOnceAsync(load.Stored, $"after kill {kill}");
            spared += Value(await server.Http.GetStringAsync("/metrics"), "ingest_store_inserts_spared_total");
        }

        await using (server)
        {
            await load.StopAsync();
            await WaitForStoreAsync(server);
            await store.ExpectOnceAsync(load.Durable, "in the end");
        }

        output.WriteLine($"{load.Durable.Sum()} rows; {spared} segments were not inserted again");

        Task EachAsync(Func<StandIn, Task> act) => Task.WhenAll(store.Servers.Select(act));
    }

    // Inserts of somebody else, each with a token of its own.
    private static async Task ForgetTokensAsync(StandIn server)
    {
        for (int i = 0; i < 3; i++)
        {
            await server.QueryAsync(
                $"INSERT INTO gps_points (driver_id, order_id) SELECT 'outsider', '{Guid.NewGuid()}'", "Null");
        }
    }

    private static async Task KillInInsertAsync(StandIn server)
    {
        await server.FaultAsync("hold 1");
        Assert.Equal("holding", await server.LineAsync());
        await server.KillAsync();
    }

    private static Task<double> WaitForStoreAsync(ServerProcess server) =>
        WaitForAsync(server, "ingest_log_segments{", value => value == 0);

    private static async Task<double> WaitForAsync(ServerProcess server, string name, Func<double, bool> condition)
    {
        var clock = Stopwatch.StartNew();
        string metrics = await server.Http.GetStringAsync("/metrics");
        while (!condition(Value(metrics, name)))
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"{name} does not come to what is waited for\n{metrics}");
            await Task.Delay(20);
            metrics = await server.Http.GetStringAsync("/metrics");
        }

        return Value(metrics, name);
    }

    private static double Value(string metrics, string name) => metrics.Split('\n')
        .Where(line => line.StartsWith(name, StringComparison.Ordinal))
        .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
}
