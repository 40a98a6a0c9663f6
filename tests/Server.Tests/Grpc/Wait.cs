using System.Diagnostics;

namespace Ingest.Server.Tests.Grpc;

/// <summary>Waits for conditions.</summary>
internal static class Wait
{
    /// <summary>For what hangs; a machine that is starved takes its time.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < Limit, $"Not within {Limit}: {what}");
            await Task.Delay(5);
        }
    }
}
