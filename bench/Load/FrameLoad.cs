using System.Diagnostics;

namespace Ingest.Load;

/// <summary>A load of frames that were made before, over connections of two threads each.</summary>
internal static class FrameLoad
{
    // Of large messages as many as it takes for the points; of small ones fewer points do, or the frames' headers would
    // fill the memory.
    private const int LeastMessages = 4;
    private const int MostMessages = 20_000;

    public static LoadReport Run(LoadOptions options)
    {
        var clock = Stopwatch.StartNew();
        long Now() => (long)clock.Elapsed.TotalMicroseconds;
        PointMessage[] messages =
        [
            .. Enumerable
                .Range(0, Math.Clamp(options.DistinctPoints / options.PointsPerMessage, LeastMessages, MostMessages))
                .AsParallel().AsOrdered().Select(i =>
                    PointMessages.Message(
                        i * options.PointsPerMessage, options.PointsPerMessage, options.AsColumns, options.AsAppend)),
        ];
        string run = Guid.NewGuid().ToString("N")[..8];
        double interval = options.PointsPerSecond > 0
            ? 1e6 * options.PointsPerMessage * options.Streams / options.PointsPerSecond
            : 0;
        long countsFrom = long.MaxValue;
        var connections = new List<FrameConnection>();
        for (int i = 0; i < options.Connections; i++)
        {
            int count = (options.Streams + i) / options.Connections;
            connections.Add(new FrameConnection(
                options.Server,
                [
                    .. Enumerable.Range(0, count).Select(s => new FrameStream(
                        (2 * s) + 1, options.AsAppend, Now, () => Volatile.Read(ref countsFrom))),
                ],
                options.Streams,
                options.AsAppend,
                options.LaterSeconds));
        }

        for (int i = 0; i < connections.Count; i++)
        {
            connections[i].Open(stream => $"load-{run}-{i}-{stream.Id}");
        }

        // Streams are spread over the time between two messages, as independent senders are.
        long begin = Now() + 10_000;
        FrameStream[] streams = [.. connections.SelectMany(connection => connection.Streams)];
        for (int i = 0; i < streams.Length; i++)
        {
            streams[i].DueMicros = begin + (long)(interval * i / streams.Length);
            streams[i].FirstMessage = (int)((long)messages.Length * i / streams.Length);
        }

        GC.Collect();
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        Volatile.Write(ref countsFrom, begin + (long)options.WarmUp.TotalMicroseconds);
        long end = countsFrom + (long)options.Duration.TotalMicroseconds;
        Thread[] senders =
        [
            .. connections.Select(connection =>
            {
                FrameMessage[] own =
                [
                    .. messages.Select(message =>
                        options.AsAppend ? FrameMessage.OfRows(message) : FrameMessage.Of(message)),
                ];
                return new Thread(() => connection.Run(own, options.PointsPerMessage, interval, Now, end));
            }),
        ];
        foreach (Thread sender in senders)
        {
            sender.Start();
        }

        long durableBefore = 0;
        if (options.AsAppend)
        {
            Sleep(countsFrom - Now());
            durableBefore = streams.Sum(stream => stream.Durable);
            Sleep(end - Now());
        }

        long durable = streams.Sum(stream => stream.Durable);
        double seconds = (Now() - countsFrom) / 1e6;
        foreach (Thread sender in senders)
        {
            sender.Join();
        }

        if (!options.AsAppend)
        {
            // The one answer says what is durable, so all the time until then counts.
            durable = streams.Sum(stream => stream.Durable);
            seconds = (Now() - begin) / 1e6;
        }

        var latency = new LatencyHistogram();
        foreach (FrameStream stream in streams)
        {
            latency.Add(stream.Latency);
        }

        connections.ForEach(connection => connection.Dispose());
        return new LoadReport
        {
            Points = durable - durableBefore,
            Seconds = seconds,
            Rejected = streams.Sum(stream => stream.Rejected),
            Refusals = streams.Sum(stream => stream.Refusals) + streams.Count(stream => stream.Status != 0),
            Sent = streams.Sum(stream => stream.NextOffset),
            Processor = Environment.CpuUsage.TotalTime - processor,
            Latency = options.AsAppend ? latency : null,
        };
    }

    private static void Sleep(long micros) => Thread.Sleep(TimeSpan.FromMicroseconds(Math.Max(0, micros)));
}
