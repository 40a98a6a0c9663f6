using Ingest.V1;

namespace Ingest.EndToEnd.Tests;

/// <summary>Producers over restarts of the server, and rows that reach the store.</summary>
public sealed class AppendRestartTests
{
    private const int Unavailable = 14;

    [SkippableFact]
    public async Task Stored_follows_durable_and_the_rows_can_be_queried_by_then()
    {
        Engine.Require();
        await using ServerProcess server = await ServerProcess.StartAsync();
        await using AppendCall call = await AppendCall.OpenAsync(server.GrpcAddress, "stored", level: AckLevel.Stored);
        call.SendPoints(0, 100, "stored");
        call.Send(AppendCall.Points(100, [new GpsPoint()]));
        await call.UntilAsync(c => c.Ack.StoredOffset == 101);

        Assert.Equal("100", await server.QueryAsync("SELECT count() FROM gps_points WHERE driver_id = 'stored'"));
        Assert.Equal(
            "stored\t100",
            await server.QueryAsync("SELECT producer_id, producer_offset FROM dead_letters WHERE producer_id = 'stored'"));
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_restart_a_producer_goes_on_from_its_durable_offset_and_every_row_is_there_once(bool kill)
    {
        Engine.Require();
        ServerProcess server = await ServerProcess.StartAsync();
        await using (AppendCall call = await AppendCall.OpenAsync(server.GrpcAddress, "p"))
        {
            call.SendPoints(0, 500);
            await call.DurableAsync(500);
            if (kill)
            {
                await server.KillAsync();
            }
            else
            {
                Task<int> stop = server.StopAsync();
                (int status, _) = await call.EndAsync();
                Assert.Equal(Unavailable, status);
                Assert.Equal(500, call.Draining!.DurableOffset);
                Assert.Equal(0, await stop);
            }
        }

        await using ServerProcess again = await ServerProcess.StartAsync(server.DataDirectory);
        await using AppendCall second = await AppendCall.OpenAsync(again.GrpcAddress, "p");
        Assert.Equal(500, second.Opened!.DurableOffset);
        second.SendPoints(450, 100);
        await second.DurableAsync(550);
        await again.ExpectAsync("550\t550\t549", "SELECT count(), uniqExact(order_id), max(toUInt32(order_id)) FROM gps_points");
    }

    [Fact]
    public async Task A_draining_server_tells_its_producers_and_takes_what_they_send_meanwhile()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(null, "Store:Kind=null");
        await using AppendCall call = await AppendCall.OpenAsync(server.GrpcAddress, "p");
        call.SendPoints(0, 5);
        await call.DurableAsync(5);
        Task<int> stop = server.StopAsync();
        await call.UntilAsync(c => c.Draining is not null);
        call.SendPoints(5, 5);
        call.Complete();

        Assert.Equal(0, (await call.EndAsync()).Status);
        Assert.Equal(10, call.Ack.DurableOffset);
        Assert.Equal(0, await stop);
    }
}
