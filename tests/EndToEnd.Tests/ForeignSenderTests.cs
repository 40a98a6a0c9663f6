using System.Diagnostics;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests;

/// <summary>Senders that we did not write: what they stream can be queried, whatever the size of their messages.</summary>
[Collection(SharedServer.Collection)]
public sealed class ForeignSenderTests(SharedServer shared)
{
    private const int Points = 100_000;
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(3);

    [SkippableTheory]
    [InlineData(1, "rows")]
    [InlineData(10, "rows")]
    [InlineData(1000, "rows")]
    [InlineData(1000, "columns")]
    public async Task Python_grpcio_streams_points(int perMessage, string form)
    {
        ServerProcess server = shared.Server();
        const string python = "/usr/bin/python3";
        Skip.IfNot(await ExitsWith0Async(python, "-c", "import grpc, google.protobuf"), "python3-grpcio is not installed");
        string driver = $"grpcio-{perMessage}-{form}";
        string descriptors = Path.GetTempFileName();
        await File.WriteAllBytesAsync(descriptors, DescriptorSet(IngestServiceReflection.Descriptor).ToByteArray());

        string output = await RunAsync(
            python, "stream_points.py", Authority(server), descriptors, driver, $"{Points}", $"{perMessage}", form);

        Assert.Equal($"{Points} 0", output.Trim());
        await ExpectPointsAsync(server, driver);
    }

    [SkippableTheory]
    [InlineData(1, "rows")]
    [InlineData(1000, "rows")]
    [InlineData(1000, "columns")]
    public async Task Grpc_js_streams_points(int perMessage, string form)
    {
        ServerProcess server = shared.Server();
        Skip.IfNot(
            Directory.Exists(Path.Combine(Folder(), "node_modules")), "tests/Foreign/node_modules is missing: npm ci");
        string driver = $"grpc-js-{perMessage}-{form}";

        string output = await RunAsync(
            "node", "stream-points.mjs", Authority(server), Path.Combine(Data.Repository(), "protos"), driver,
            $"{Points}", $"{perMessage}", form);

        Assert.Equal($"{Points} 0", output.Trim());
        await ExpectPointsAsync(server, driver);
    }

    [SkippableFact]
    public async Task Grpc_js_appends_as_a_producer_over_two_sessions()
    {
        ServerProcess server = shared.Server();
        Skip.IfNot(
            Directory.Exists(Path.Combine(Folder(), "node_modules")), "tests/Foreign/node_modules is missing: npm ci");
        const int appended = 20_000;

        string output = await RunAsync(
            "node", "append-points.mjs", Authority(server), Path.Combine(Data.Repository(), "protos"), "grpc-js-append",
            $"{appended}", "100");

        Assert.Equal($"{appended} {appended} 7", output.Trim());
        await server.ExpectAsync(
            $"{appended - 1}\t{appended - 1}\t0",
            "SELECT count(), uniqExact(order_id), countIf(order_id = '7') "
            + "FROM gps_points WHERE producer_id = 'grpc-js-append'");
    }

    [SkippableTheory]
    [InlineData("yes", "OK")]
    [InlineData("no", "UNAVAILABLE")]
    public async Task Grpc_js_is_told_that_the_server_stops_and_ends_cleanly(string halfClose, string status)
    {
        Engine.Require();
        Skip.IfNot(
            Directory.Exists(Path.Combine(Folder(), "node_modules")), "tests/Foreign/node_modules is missing: npm ci");
        await using ServerProcess server = await ServerProcess.StartAsync(
            null, "Grpc:DrainGrace=00:00:01", "Append:DrainDelay=00:00:00.300");
        using Process client = Process.Start(new ProcessStartInfo(
            "node", ["drain-points.mjs", Authority(server), Path.Combine(Data.Repository(), "protos"), "js", halfClose])
        {
            WorkingDirectory = Folder(),
            RedirectStandardOutput = true,
        })!;
        using var timeout = new CancellationTokenSource(s_timeout);
        Assert.Equal("ready", await client.StandardOutput.ReadLineAsync(timeout.Token));

        Assert.Equal(0, await server.StopAsync());

        string[] append = (await client.StandardOutput.ReadLineAsync(timeout.Token))!.Split(' ');
        string[] stream = (await client.StandardOutput.ReadLineAsync(timeout.Token))!.Split(' ');
        Assert.Equal(["true", status], append[..2]);
        Assert.Equal("UNAVAILABLE", stream[0]);
        await using ServerProcess next = await ServerProcess.StartAsync(server.DataDirectory);
        Assert.Equal(append[2], await next.QueryAsync("SELECT count() FROM gps_points WHERE driver_id = 'js'"));
        Assert.Equal(stream[1], await next.QueryAsync("SELECT count() FROM gps_points WHERE driver_id = 'js-stream'"));
    }

    private static Task ExpectPointsAsync(ServerProcess server, string driver) => server.ExpectAsync(
        $"{Points}\t{Points}\t2026-01-01 00:00:00\t{Points - 1}\tTO_PICKUP",
        "SELECT count(), uniqExact(order_id), toDateTime(min(timestamp)), "
        + "dateDiff('second', min(timestamp), max(timestamp)), any(trip_stage) "
        + $"FROM gps_points WHERE driver_id = '{driver}'");

    private static string Authority(ServerProcess server) => new Uri(server.GrpcAddress).Authority;

    private static string Folder() => Path.Combine(Data.Repository(), "tests", "Foreign");

    private static FileDescriptorSet DescriptorSet(FileDescriptor root)
    {
        var set = new FileDescriptorSet();
        Add(root, set, []);
        return set;
    }

    // A file after the files that it imports, as a pool wants them.
    private static void Add(FileDescriptor file, FileDescriptorSet set, HashSet<string> added)
    {
        if (!added.Add(file.Name))
        {
            return;
        }

        foreach (FileDescriptor import in file.Dependencies)
        {
            Add(import, set, added);
        }

        set.File.Add(file.ToProto());
    }

    private static async Task<bool> ExitsWith0Async(string command, params string[] arguments)
    {
        if (!File.Exists(command))
        {
            return false;
        }

        using Process process = Process.Start(
            new ProcessStartInfo(command, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        await process.WaitForExitAsync().WaitAsync(s_timeout);
        return process.ExitCode == 0;
    }

    private static async Task<string> RunAsync(string command, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(command, arguments)
        {
            WorkingDirectory = Folder(),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var timeout = new CancellationTokenSource(s_timeout);
        Task<string> errors = process.StandardError.ReadToEndAsync(timeout.Token);
        string output = await process.StandardOutput.ReadToEndAsync(timeout.Token);
        await process.WaitForExitAsync(timeout.Token);
        Assert.True(process.ExitCode == 0, await errors);
        return output;
    }
}
