using System.Diagnostics;

namespace Ingest.EndToEnd.Tests.Overload;

/// <summary>Load from a process of its own, so that it takes no memory of the test's and dies alone.</summary>
internal static class LoadProcess
{
    /// <summary>The process's part: makes the load and writes the report.</summary>
    public static async Task RunAsync(LoadOptions options)
    {
        var connections = new Http2Connection?[options.Connections];
        using var connecting = new SemaphoreSlim(1);
        for (int i = 0; i < connections.Length; i++)
        {
            await ConnectAsync(connections, i, connecting, options.Address);
        }

        var clock = Stopwatch.StartNew();
        LoadProducer[] producers =
            [.. Enumerable.Range(0, options.Producers).Select(i => new LoadProducer(options, $"{options.Name}-{i}", clock))];
        await Task.WhenAll(producers.Select((producer, i) => Task.Run(() => producer.RunAsync(
            () => ConnectAsync(connections, i % connections.Length, connecting, options.Address)))));
        double[] latencies = [.. producers.SelectMany(p => p.Latencies).Order()];
        var report = new LoadReport
        {
            RowsPerSecond = producers.Sum(p => p.DurableInTime) / options.Seconds,
            Durable = producers.ToDictionary(p => p.Name, p => p.Durable),
            Sent = producers.ToDictionary(p => p.Name, p => p.Sent),
            Refusals = Sum(producers.SelectMany(p => p.Refusals)),
            Ended = Sum(producers.SelectMany(p => p.Ended)),
            AckP50 = At(latencies, 0.5),
            AckP99 = At(latencies, 0.99),
            AckMax = At(latencies, 1),
        };
        await Console.Out.WriteLineAsync(report.ToLine());
        foreach (LoadProducer producer in producers)
        {
            producer.Dispose();
        }
    }

    /// <summary>Starts such a process and waits for its report.</summary>
    public static async Task<LoadReport> StartAsync(LoadOptions options, params string[] before)
    {
        using Process process = Launch(options, before);
        string? last = null;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            last = line;
        }

        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0 && last is not null, $"the load ended with {process.ExitCode}");
        return LoadReport.Parse(last);
    }

    /// <summary>Starts the process alone.</summary>
    /// <param name="options">The load.</param>
    /// <param name="before">What the command begins with: <c>ip netns exec</c>.</param>
    public static Process Launch(LoadOptions options, params string[] before)
    {
        string[] command =
        [
            .. before, "dotnet", Path.Combine(AppContext.BaseDirectory, "Ingest.EndToEnd.Tests.dll"),
            .. options.ToArguments(),
        ];
        return Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true })!;
    }

    private static async Task<Http2Connection> ConnectAsync(
        Http2Connection?[] connections, int place, SemaphoreSlim connecting, string address)
    {
        await connecting.WaitAsync();
        try
        {
            return connections[place] is { IsClosed: false } open
                ? open
                : connections[place] = await Http2Connection.ConnectAsync(address);
        }
        finally
        {
            connecting.Release();
        }
    }

    private static Dictionary<string, int> Sum(IEnumerable<KeyValuePair<string, int>> counts) =>
        counts.GroupBy(c => c.Key).ToDictionary(g => g.Key, g => g.Sum(c => c.Value));

    private static double At(double[] sorted, double share) =>
        sorted.Length == 0 ? 0 : sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];
}
