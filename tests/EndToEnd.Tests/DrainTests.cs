using System.Diagnostics;
using System.Net;
using Grpc.Health.V1;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Ingest.EndToEnd.Tests;

/// <summary>What a server does that is told to stop: with senders, while it starts, while its store is away.</summary>
public sealed class DrainTests
{
    private const int Producers = 8;
    private const int Senders = 3;
    private const int ExitBySecondSignal = 128 + 15;

    private static readonly TimeSpan s_stop = TimeSpan.FromSeconds(12);

    private static readonly string[] s_settings =
        ["Grpc:DrainGrace=00:00:02", "Append:DrainDelay=00:00:00.300", $"StopTimeout={s_stop}"];

    [SkippableFact]
    public async Task A_server_stopped_under_load_loses_nothing_repeats_nothing_and_exits_0()
    {
        Engine.Require();
        ServerProcess server = await ServerProcess.StartAsync(null, s_settings);
        await using var load = new ProducerLoad(Producers, TimeSpan.FromMilliseconds(2)) { Address = server.GrpcAddress };
        using var stop = new CancellationTokenSource();
        var address = new Address { Current = server.GrpcAddress };
        Task<int>[] senders = [.. Enumerable.Range(0, Senders).Select(i => SendAsync($"sender-{i}", address, stop.Token))];
        using StreamCall stalled = Stall(server, "stalled");
        await using AppendCall silent = await AppendCall.OpenAsync(server.GrpcAddress, "silent");
        silent.SendPoints(0, 5, "silent");
        await silent.DurableAsync(5);
        await load.ProgressAsync();

        var clock = Stopwatch.StartNew();
        await server.TerminateAsync();
        await ExpectDownButListeningAsync(server);
        address.Current = load.Address = null;
        (int stalledStatus, long stalledRows) = await stalled.EndAsync();
        int exitCode = await server.ExitAsync();

        Assert.Equal(0, exitCode);
        Assert.True(clock.Elapsed < s_stop, $"it took {clock.Elapsed}\n{server.Messages}");
        Assert.Equal((14, 100), (stalledStatus, stalledRows));
        Assert.NotNull(await UntilDrainingAsync(silent));
        Assert.Equal(14, (await silent.EndAsync()).Status);
        Assert.All(load.Drains, drains => Assert.Equal(1, drains));
        Assert.DoesNotContain("fail:", server.Messages, StringComparison.Ordinal);

        await using ServerProcess next = await ServerProcess.StartAsync(server.DataDirectory, s_settings);
        address.Current = load.Address = next.GrpcAddress;
        await load.ProgressAsync();
        await load.StopAsync();
        await stop.CancelAsync();
        int[] sent = await Task.WhenAll(senders);
        for (int producer = 0; producer < Producers; producer++)
        {
            await ExpectOnceAsync(next, $"driver-{producer}", load.Durable[producer]);
        }

        for (int sender = 0; sender < Senders; sender++)
        {
            await ExpectOnceAsync(next, $"sender-{sender}", sent[sender]);
        }

        await ExpectOnceAsync(next, "stalled", 100);
        await ExpectOnceAsync(next, "silent", 5);
    }

    [SkippableFact]
    public async Task A_second_SIGTERM_ends_the_server_at_once()
    {
        Engine.Require();
        ServerProcess server = await ServerProcess.StartAsync(null, "Grpc:DrainGrace=00:10:00");
        await using var load = new ProducerLoad(2, TimeSpan.FromMilliseconds(2)) { Address = server.GrpcAddress };
        using StreamCall stalled = Stall(server, "stalled");
        await load.ProgressAsync();
        await server.TerminateAsync();
        await ExpectDownButListeningAsync(server);

        await server.TerminateAsync();
        int exitCode = await server.ExitAsync().WaitAsync(TimeSpan.FromSeconds(10));

        Assert.Equal(ExitBySecondSignal, exitCode);
        await using ServerProcess next = await ServerProcess.StartAsync(server.DataDirectory);
        load.Address = next.GrpcAddress;
        await load.ProgressAsync();
        await load.StopAsync();
        await ExpectOnceAsync(next, "driver-0", load.Durable[0]);
        await ExpectOnceAsync(next, "driver-1", load.Durable[1]);
    }

    [SkippableFact]
    public async Task A_query_whose_answer_is_not_read_does_not_keep_the_server_from_stopping()
    {
        Engine.Require();
        await using ServerProcess server = await ServerProcess.StartAsync(
            null, "Grpc:DrainGrace=00:00:01", "Append:DrainDelay=00:00:00.300");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/sql")
        {
            Content = new StringContent("SELECT number FROM numbers(1000000000000)"),
        };
        using HttpResponseMessage answer = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);

        var clock = Stopwatch.StartNew();
        Assert.Equal(0, await server.StopAsync());

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(15), $"it took {clock.Elapsed}\n{server.Messages}");
        Assert.DoesNotContain("fail:", server.Messages, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_server_stopped_while_it_starts_ends_cleanly_and_loses_nothing()
    {
        await using StoreShards shards = await StoreShards.StartAsync(1);
        ServerProcess server = await ServerProcess.StartAsync(null, shards.Settings);
        await using var load = new ProducerLoad(2, TimeSpan.FromMilliseconds(2)) { Address = server.GrpcAddress };
        await load.StoredAsync();
        await shards.Servers[0].SignalAsync("STOP");
        await load.ProgressAsync();
        load.Address = null;
        await server.KillAsync();

        // From the runtime's own start on, before there is anybody who could hear, to the wait for the store.
        for (int milliseconds = 200; milliseconds < 2000; milliseconds += 500)
        {
            var clock = Stopwatch.StartNew();
            (int exitCode, string output) = await ServerProcess.StopStartingAsync(
                server.DataDirectory, TimeSpan.FromMilliseconds(milliseconds), [.. shards.Settings, "StopTimeout=00:00:01"]);
            Assert.True(exitCode is 0 || (exitCode == 143 && milliseconds < 1000), $"{exitCode} after {milliseconds} ms: {output}");
            Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(15), $"it took {clock.Elapsed}: {output}");
        }

        await shards.Servers[0].SignalAsync("CONT");
        await using ServerProcess next = await ServerProcess.StartAsync(server.DataDirectory, shards.Settings);
        load.Address = next.GrpcAddress;
        await load.ProgressAsync();
        await load.StoredAsync();
        await load.StopAsync();
        await shards.ExpectOnceAsync(load.Stored, "after the restart");
    }

    [SkippableFact]
    public async Task A_server_stopped_while_its_store_is_away_exits_0_and_keeps_its_rows()
    {
        await using StoreShards shards = await StoreShards.StartAsync(1);
        ServerProcess server = await ServerProcess.StartAsync(
            null, [.. shards.Settings, "Grpc:DrainGrace=00:00:01", "Append:DrainDelay=00:00:00.300", "StopTimeout=00:00:03"]);
        await using var load = new ProducerLoad(4, TimeSpan.FromMilliseconds(2)) { Address = server.GrpcAddress };
        await load.StoredAsync();
        await shards.Servers[0].SignalAsync("STOP");
        await load.ProgressAsync();

        var clock = Stopwatch.StartNew();
        await server.TerminateAsync();
        load.Address = null;
        Assert.Equal(0, await server.ExitAsync());
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"it took {clock.Elapsed}\n{server.Messages}");

        await shards.Servers[0].SignalAsync("CONT");
        await using ServerProcess next = await ServerProcess.StartAsync(server.DataDirectory, shards.Settings);
        load.Address = next.GrpcAddress;
        await load.ProgressAsync();
        await load.StoredAsync();
        await load.StopAsync();
        await shards.ExpectOnceAsync(load.Stored, "after the restart");
    }

    // A stream that was cut off in the middle of a message, and never ends by itself.
    private static StreamCall Stall(ServerProcess server, string driver)
    {
        var call = new StreamCall(server.GrpcAddress);
        call.Send(0, 100, driver);
        call.SendBytes([0, 0, 0, 1, 0, 7]);
        return call;
    }

    // Sends until it is told to stop, over as many calls as it takes; says how many rows were accepted.
    private static async Task<int> SendAsync(string driver, Address address, CancellationToken stop)
    {
        int accepted = 0;
        while (!stop.IsCancellationRequested)
        {
            if (address.Current is not { } current)
            {
                await Task.Delay(5, CancellationToken.None);
                continue;
            }

            using var call = new StreamCall(current);
            int next = accepted;
            while (!stop.IsCancellationRequested && !call.HasEnded)
            {
                call.Send(next, 20, driver);
                next += 20;
                await Task.Delay(3, CancellationToken.None);
            }

            call.Complete();
            (int status, long rows) = await call.EndAsync();
            Assert.True(status is 0 or 14, $"{driver}: {status}");
            Assert.True(status == 14 || accepted + rows == next, $"{driver}: {rows} of {next - accepted}");
            accepted += (int)rows;
        }

        return accepted;
    }

    private static async Task ExpectDownButListeningAsync(ServerProcess server)
    {
        var clock = Stopwatch.StartNew();
        HttpStatusCode ready = HttpStatusCode.OK;
        while (ready == HttpStatusCode.OK && clock.Elapsed < TimeSpan.FromSeconds(10))
        {
            using HttpResponseMessage answer = await server.Http.GetAsync("/health/ready");
            ready = answer.StatusCode;
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready);
        RawCall.Answer health = await RawCall.SendAsync(
            server.GrpcAddress, "/grpc.health.v1.Health/Check", PointFrames.Frame(new HealthCheckRequest()));
        Assert.Equal(ServingStatus.NotServing, health.Response(HealthCheckResponse.Parser).Status);
        RawCall.Answer refused = await RawCall.SendAsync(server.GrpcAddress, "StreamGpsPoints", []);
        Assert.Equal(14, refused.Status);
    }

    private static async Task<V1.AppendDraining?> UntilDrainingAsync(AppendCall call)
    {
        await call.UntilAsync(c => c.Draining is not null);
        return call.Draining;
    }

    private static async Task ExpectOnceAsync(ServerProcess server, string driver, long rows)
    {
        Assert.True(rows > 0, $"{driver} sent nothing");
        string of = $"FROM gps_points WHERE driver_id = '{driver}'";
        await server.ExpectAsync(
            $"{rows}\t{rows}", $"SELECT count(), uniqExact(toUInt64(order_id)) {of} AND toUInt64(order_id) < {rows}");
        string[] all = (await server.QueryAsync($"SELECT count(), uniqExact(order_id) {of}")).Split('\t');
        Assert.Equal(all[0], all[1]);
    }

    private sealed class Address
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
