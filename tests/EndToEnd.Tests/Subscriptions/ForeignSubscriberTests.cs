using System.Diagnostics;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>Subscribers that we did not write, and that are killed.</summary>
public sealed class ForeignSubscriberTests : IDisposable
{
    private const int Updates = 3000;
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ingest-subscriber-");
    private readonly List<Process> _subscribers = [];

    private static string Folder { get; } = Path.Combine(Data.Repository(), "tests", "Foreign");

    public void Dispose()
    {
        foreach (Process subscriber in _subscribers)
        {
            // Those of a test that failed go on for ever.
            subscriber.Kill();
            subscriber.Dispose();
        }

        _directory.Delete(recursive: true);
    }

    [SkippableFact]
    public async Task Grpc_js_is_killed_again_and_again_and_misses_nothing_and_gets_nothing_twice()
    {
        RequireNode();
        await using EchoServer server = await EchoServer.StartAsync();
        string file = Path.Combine(_directory.FullName, "handled");
        Task publishing = PublishSlowlyAsync(server);

        int kills = 0;
        for (int enough = 300; enough < Updates; enough += 700)
        {
            Process subscriber = Subscribe(server, file);
            await UntilAsync(() => Handled(file).Count >= enough, () => $"{Handled(file).Count} of {enough}");
            subscriber.Kill();
            await subscriber.WaitForExitAsync();
            kills++;
        }

        await publishing;
        Process last = Subscribe(server, file);
        await ExpectDoneAsync(last);
        Assert.Equal(4, kills);
        Assert.Equal(Enumerable.Range(0, Updates), Handled(file));
    }

    [SkippableFact]
    public async Task Grpc_js_follows_servers_that_are_stopped_and_killed_and_misses_nothing_that_is_not_said()
    {
        RequireNode();
        await using EchoServer server = await EchoServer.StartAsync(
            "Grpc:DrainGrace=00:00:02", "Subscribe:DrainDelay=00:00:00.200");
        string file = Path.Combine(_directory.FullName, "handled");
        await server.PublishAsync(0, 1000);
        Process subscriber = Subscribe(server, file);
        await UntilAsync(() => Handled(file).Count > 100, () => $"{Handled(file).Count}");
        await server.ReplaceStoppedAsync();
        await server.PublishAsync(1000, 1000);
        await UntilAsync(() => Handled(file).Count > 1100, () => $"{Handled(file).Count}");
        await server.ReplaceKilledAsync();
        await server.PublishAsync(2000, 1000);

        await ExpectDoneAsync(subscriber);

        // Everything was durable before a server ended, so there is nothing that a gap could stand for.
        Assert.DoesNotContain(
            await File.ReadAllLinesAsync(file), line => line.StartsWith("gap", StringComparison.Ordinal));
        Assert.Equal(Enumerable.Range(0, Updates), Handled(file));
    }

    [SkippableFact]
    public async Task Python_grpcio_subscribes_with_nothing_behind_start_and_its_token_goes_on()
    {
        const string python = "/usr/bin/python3";
        await using EchoServer server = await EchoServer.StartAsync();
        Skip.IfNot(File.Exists(python) && await HasGrpcioAsync(python), "python3-grpcio is not installed");
        await server.PublishAsync(0, 100);
        string descriptors = Path.Combine(_directory.FullName, "descriptors");
        await File.WriteAllBytesAsync(
            descriptors, DescriptorSet(SubscriptionServiceReflection.Descriptor).ToByteArray());

        string[] first = await RunAsync(
            python, "subscribe.py", server.Authority, descriptors, SubscriptionHost.Topic, "60");
        string[] second = await RunAsync(
            python, "subscribe.py", server.Authority, descriptors, SubscriptionHost.Topic, "40", first[^1]);

        Assert.Equal(Enumerable.Range(0, 100), first[..^1].Concat(second[..^1]).Select(int.Parse));
    }

    // In parts, so that the subscriber is killed while there are updates to come and while there are none.
    private static async Task PublishSlowlyAsync(EchoServer server)
    {
        const int part = 250;
        for (int first = 0; first < Updates; first += part)
        {
            await server.PublishAsync(first, part);
            await Task.Delay(20);
        }
    }

    private static void RequireNode() => Skip.IfNot(
        Directory.Exists(Path.Combine(Folder, "node_modules")), "tests/Foreign/node_modules is missing: npm ci");

    private Process Subscribe(EchoServer server, string file)
    {
        Process subscriber = Process.Start(new ProcessStartInfo(
            "node",
            [
                "subscribe.mjs", server.Authority, Path.Combine(Data.Repository(), "protos"), SubscriptionHost.Topic,
                file,
                $"{Updates}",
            ])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
        })!;
        _subscribers.Add(subscriber);
        return subscriber;
    }

    private static async Task ExpectDoneAsync(Process subscriber)
    {
        string output = await subscriber.StandardOutput.ReadToEndAsync().WaitAsync(s_timeout);
        Assert.EndsWith("done", output.Trim(), StringComparison.Ordinal);
    }

    // Numbers of the whole lines.
    private static List<int> Handled(string file)
    {
        if (!File.Exists(file))
        {
            return [];
        }

        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        string[] lines = reader.ReadToEnd().Split('\n');
        return [.. lines[..^1].Where(line => !line.StartsWith("gap", StringComparison.Ordinal))
            .Select(line => int.Parse(line.Split(' ')[0]))];
    }

    private static async Task UntilAsync(Func<bool> condition, Func<string> what)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < s_timeout, what());
            await Task.Delay(10);
        }
    }

    private static async Task<bool> HasGrpcioAsync(string python)
    {
        using Process process = Process.Start(python, ["-c", "import grpc, google.protobuf"]);
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }

    private static async Task<string[]> RunAsync(string command, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(command, arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
        })!;
        string output = await process.StandardOutput.ReadToEndAsync().WaitAsync(s_timeout);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output.Trim().Split('\n');
    }

    private static FileDescriptorSet DescriptorSet(FileDescriptor file)
    {
        var set = new FileDescriptorSet();
        HashSet<string> seen = [];
        Add(file);
        return set;

        void Add(FileDescriptor next)
        {
            if (seen.Add(next.Name))
            {
                foreach (FileDescriptor import in next.Dependencies)
                {
                    Add(import);
                }

                set.File.Add(next.ToProto());
            }
        }
    }
}
