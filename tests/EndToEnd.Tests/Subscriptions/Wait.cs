using System.Diagnostics;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>Waits for conditions.</summary>
internal static class Wait
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < s_limit, $"Not within {s_limit}: {what}");
            await Task.Delay(5);
        }
    }
}
