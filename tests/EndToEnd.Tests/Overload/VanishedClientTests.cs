using System.Diagnostics;
using Xunit.Abstractions;

namespace Ingest.EndToEnd.Tests.Overload;

/// <summary>A client whose network is cut: no FIN, no reset, nothing comes any more.</summary>
[Trait("Category", "Chaos")]
[Collection("alone")]
public sealed class VanishedClientTests(ITestOutputHelper output)
{
    private const string Namespace = "ingest-test";
    private const string Host = "10.213.77.1";

    [SkippableFact]
    public async Task Pings_end_its_call_and_its_session_is_settled()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Environment.UserName == "root", "network namespaces need root on Linux");
        Skip.IfNot(File.Exists("/usr/sbin/ip") || File.Exists("/sbin/ip"), "iproute2 is not installed");
        Remove();
        Skip.IfNot(Ip("netns", "add", Namespace), "this machine makes no network namespaces");
        try
        {
            bool made = Ip("link", "add", "ingest-veth0", "type", "veth", "peer", "name", "ingest-veth1", "netns", Namespace)
                && Ip("addr", "add", $"{Host}/30", "dev", "ingest-veth0")
                && Ip("link", "set", "ingest-veth0", "up")
                && Ip("-n", Namespace, "addr", "add", "10.213.77.2/30", "dev", "ingest-veth1")
                && Ip("-n", Namespace, "link", "set", "ingest-veth1", "up");
            Skip.IfNot(made, "this machine makes no virtual network links");
            await VanishAsync();
        }
        finally
        {
            Remove();
        }
    }

    private async Task VanishAsync()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(
            null, "Store:Kind=null", $"Listen={Host}", "Grpc:KeepAlivePingDelay=00:00:01",
            "Grpc:KeepAlivePingTimeout=00:00:01");
        using Process client = LoadProcess.Launch(
            new LoadOptions(server.GrpcAddress, "vanishing", 60, 1, 1, 1000, 10), "ip", "netns", "exec", Namespace);
        try
        {
            await UntilAsync(async () => await MetricAsync(server, "ingest_rows_total") > 100, "rows come", 30);
            Assert.Equal(1, await ActiveAsync(server));
            Assert.True(Ip("-n", Namespace, "link", "set", "ingest-veth1", "down"));
            var clock = Stopwatch.StartNew();
            await UntilAsync(async () => await ActiveAsync(server) == 0, "the call ended", 30);
            output.WriteLine($"the call ended {clock.Elapsed.TotalSeconds:0.0} s after the cut");
            Assert.False(client.HasExited, "the client has to be alive, or it said goodbye");

            // Settled: all that came is durable, and its next session goes on there.
            await using AppendCall again = await AppendCall.OpenAsync(server.GrpcAddress, "vanishing-0", epoch: 100);
            Assert.Equal(await MetricAsync(server, "ingest_log_rows_total"), again.Opened!.DurableOffset);
            again.SendPoints(again.Opened.DurableOffset, 10);
            await again.DurableAsync(again.Opened.DurableOffset + 10);
        }
        finally
        {
            client.Kill();
        }
    }

    private static Task<double> ActiveAsync(ServerProcess server) => MetricAsync(server, "ingest_calls_active", "/Append\"");

    private static async Task<double> MetricAsync(ServerProcess server, string name, string label = "")
    {
        string text = await server.Http.GetStringAsync("/metrics");
        return text.Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal) && line.Contains(label, StringComparison.Ordinal))
            .Sum(line => double.Parse(
                line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, string what, int seconds)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(clock.Elapsed.TotalSeconds < seconds, $"in {seconds} s it did not come to this: {what}");
            await Task.Delay(50);
        }
    }

    private static void Remove()
    {
        Ip("netns", "del", Namespace);
        Ip("link", "del", "ingest-veth0");
    }

    private static bool Ip(params string[] arguments)
    {
        using Process ip = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
        ip.WaitForExit();
        return ip.ExitCode == 0;
    }
}
