using System.Globalization;
using Ingest.Log;

namespace Ingest.Tests.Log;

/// <summary>
/// A process that appends to a log until it is killed and says on its standard output what was acknowledged:
/// `FIRST COUNT .` a line. Run as `Ingest.Tests log-writer DIRECTORY FIRST`.
/// </summary>
internal static class LogWriterProcess
{
    private const int Senders = 4;
    private const long NumbersEach = 1_000_000;

    public static async Task RunAsync(string directory, long first)
    {
        // Small segments, so that kills fall on their opening, sealing and deletion too.
        var options = new LogOptions
        {
            DataDirectory = directory,
            SegmentAge = TimeSpan.FromMilliseconds(20),
            SegmentRows = 2000,
        };
        await using var log = await SegmentLog.OpenAsync(
            options, [LogDirectory.Events], Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        var lane = log.Lane(LogDirectory.Events);
        var output = Console.Out;
        await output.WriteLineAsync("ready");
        var senders = Enumerable.Range(0, Senders).Select(sender => Task.Run(async () =>
        {
            var sink = new CountingSink
            {
                OnCommit = entry => output.WriteLine(
                    string.Create(CultureInfo.InvariantCulture, $"{entry.FirstOffset} {entry.RowCount} .")),
            };
            var next = first + (sender * NumbersEach);
            for (var i = 0; ; i++)
            {
                await lane.WaitForRoomAsync();
                var count = 1 + (i % 50);
                LogDirectory.Append(lane, sink, next, count, $"sender-{sender}");
                next += count;
                if (i % 20 == 0)
                {
                    await Task.Delay(1);
                }
            }
        }));
        await Task.WhenAll(senders);
    }
}
