using System.Globalization;

namespace Ingest.Fanout;

/// <summary>Runs one server after the other and prints a table in Markdown.</summary>
internal static class FanoutReport
{
    private const int DefaultUpdateBytes = 180;

    public static void Run(FanoutOptions options, string modules)
    {
        var results = new List<FanoutResult>();
        var idle = new List<(string Peer, double Bytes)>();
        var stalled = new List<StalledResult>();
        int bytes = DefaultUpdateBytes;
        foreach (string name in options.Peers)
        {
            if (options.IdleSubscribers > 0)
            {
                using PeerProcess fresh = Start(name, bytes, modules);
                using var look = new FanoutRun(fresh, options, Console.Error.WriteLine);
                idle.Add((fresh.Name, look.MeasureIdle(options.IdleSubscribers / 10, options.IdleSubscribers)));
            }

            if (options.BesideStalled > 0)
            {
                using PeerProcess fresh = Start(name, bytes, modules);
                using var look = new FanoutRun(fresh, options, Console.Error.WriteLine);
                stalled.Add(look.MeasureStalled(options.BesideStalled));
            }

            if (options.Subscribers.Count > 0)
            {
                using PeerProcess peer = Start(name, bytes, modules);
                bytes = peer.UpdateBytes;
                using var run = new FanoutRun(
                    peer, options with { Subscribers = [.. Fitting(options, peer)] }, Console.Error.WriteLine);
                results.AddRange(run.Run());
            }
        }

        Console.WriteLine($"Updates of {bytes} bytes.");
        Console.WriteLine();
        Print(results);
        Console.WriteLine();
        Console.WriteLine("| server | bytes an idle subscriber |");
        Console.WriteLine("|---|---|");
        idle.ForEach(peer => Console.WriteLine($"| {peer.Peer} | {peer.Bytes.ToString("#,0", CultureInfo.InvariantCulture)} |"));
        Console.WriteLine();
        Print(stalled);
        if (results.Sum(r => r.Missing) is > 0 and var missing)
        {
            Console.WriteLine($"{missing} updates were missing.");
        }
    }

    private static void Print(List<FanoutResult> results)
    {
        Console.WriteLine(
            "| server | subscribers | deliveries/s | µs CPU a delivery | cores | paced: deliveries/s | p50 ms | p99 ms "
            + "| µs CPU a delivery |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        foreach (FanoutResult r in results)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {r.Peer} | {r.Subscribers:#,0} | {r.PerSecond:#,0} | {r.CpuMicroseconds:0.00} | {r.CpuCores:0.00} "
                + $"| {r.PacedPerSecond:#,0} | {Age(r.P50)} | {Age(r.P99)} | {r.PacedCpuMicroseconds:0.00} |"));
        }
    }

    private static void Print(List<StalledResult> results)
    {
        Console.WriteLine(
            "| server | that read | p50 ms | p99 ms | p50 ms beside one that never reads | p99 ms | MiB before "
            + "| when it has stalled | later |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        foreach (StalledResult r in results)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {r.Peer} | {r.Subscribers:#,0} | {Age(r.P50)} | {Age(r.P99)} | {Age(r.P50With)} | {Age(r.P99With)} "
                + $"| {Mebi(r.ResidentBefore)} | {Mebi(r.ResidentAfter)} | {Mebi(r.ResidentLater)} |"));
        }
    }

    private static IEnumerable<int> Fitting(FanoutOptions options, PeerProcess peer) =>
        options.Subscribers.Where(count => count >= peer.SubscriptionsPerConnection);

    private static PeerProcess Start(string name, int bytes, string modules) => name switch
    {
        "ingest" => new IngestPeer(1),
        "ingest-100" => new IngestPeer(100),
        "kestrel" => new IngestPeer(1, "Kestrel"),
        "kestrel-100" => new IngestPeer(100, "Kestrel"),
        "nats" => new NatsPeer(bytes),
        "ws" => new WebSocketPeer(bytes, modules),
        _ => throw new ArgumentException($"There is no peer {name}; there are ingest, ingest-100, kestrel, kestrel-100, nats and ws."),
    };

    private static string Mebi(long bytes) => (bytes / 1048576.0).ToString("0.0", CultureInfo.InvariantCulture);

    private static string Age(double milliseconds) =>
        double.IsNaN(milliseconds) ? "" : milliseconds.ToString("0.00", CultureInfo.InvariantCulture);
}
