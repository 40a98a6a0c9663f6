using Ingest.Server;
using System.Net;
using System.Net.Sockets;

namespace Ingest.EndToEnd.Tests;

/// <summary>A server that cannot start says why in a sentence; one that can stops cleanly.</summary>
public sealed class StartTests
{
    [SkippableFact]
    public async Task A_port_in_use_is_named()
    {
        Engine.Require();
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        int port = ((IPEndPoint)other.LocalEndpoint).Port;
        string data = Directory.CreateTempSubdirectory("ingest-e2e-").FullName;

        (int exitCode, string errors) = await ServerProcess.RunToEndAsync(data, $"GrpcPort={port}");

        Assert.Equal(ServerHost.ExitStart, exitCode);
        Assert.Equal($"Port {port} is in use; set Ingest:GrpcPort to another.", errors.Trim());
    }

    [SkippableFact]
    public async Task A_data_directory_in_use_is_named()
    {
        Engine.Require();
        await using ServerProcess first = await ServerProcess.StartAsync();

        (int exitCode, string errors) = await ServerProcess.RunToEndAsync(first.DataDirectory);

        Assert.Equal(ServerHost.ExitStart, exitCode);
        Assert.Contains(first.DataDirectory, errors, StringComparison.Ordinal);
        Assert.Single(errors.Trim().Split('\n'));
    }

    [Fact]
    public async Task A_missing_engine_is_named_with_what_to_do()
    {
        string data = Directory.CreateTempSubdirectory("ingest-e2e-").FullName;

        (int exitCode, string errors) = await ServerProcess.RunToEndAsync(data, "Store:Library=/nowhere/libchdb.so");

        Assert.Equal(ServerHost.ExitStart, exitCode);
        Assert.Contains("/nowhere/libchdb.so", errors, StringComparison.Ordinal);
        Assert.Single(errors.Trim().Split('\n'));
    }

    [Theory]
    [InlineData("GrpcPort=x", "Ingest:GrpcPort")]
    [InlineData("GrpcPort=70000", "Ingest:GrpcPort")]
    [InlineData("Listen=nowhere", "Ingest:Listen")]
    [InlineData("NoSuchKey=1", "NoSuchKey")]
    [InlineData("Store:Kind=oracle", "Ingest:Store:Kind")]
    [InlineData("Log:BatchRows=0", "Ingest:Log:BatchRows")]
    public async Task A_wrong_setting_is_named_by_its_key(string setting, string key)
    {
        string data = Directory.CreateTempSubdirectory("ingest-e2e-").FullName;

        (int exitCode, string errors) = await ServerProcess.RunToEndAsync(data, setting);

        Assert.Equal(ServerHost.ExitSettings, exitCode);
        Assert.Contains(key, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_server_that_is_told_to_stop_puts_its_rows_away_and_exits_0()
    {
        Engine.Require();
        await using ServerProcess first = await ServerProcess.StartAsync();
        byte[] frame = PointFrames.Frame(new V1.StreamGpsPointsRequest { Points = { PointFrames.Point(1, "stop") } });
        RawCall.Answer answer = await RawCall.SendAsync(first.GrpcAddress, "StreamGpsPoints", frame);

        int exitCode = await first.StopAsync();

        Assert.Equal(0, answer.Status);
        Assert.Equal(0, exitCode);
        Assert.Empty(Directory.EnumerateFiles(
            Path.Combine(first.DataDirectory, "log"), "*.native", SearchOption.AllDirectories));
        await using ServerProcess second = await ServerProcess.StartAsync(first.DataDirectory);
        Assert.Equal("1", await second.QueryAsync("SELECT count() FROM gps_points WHERE driver_id = 'stop'"));
    }
}
