using System.Diagnostics;
using Ingest.Log;
using Ingest.Schema;
using Ingest.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.LogBench;

/// <summary>The scenarios. Each opens a log of its own; what is sealed is released at once, as by a store that is never slow.</summary>
internal sealed class LogBench(string directory) : IDisposable
{
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(5);

    private int _runs;

    public static TableSchema Table { get; } = TableSchema.FromDescriptor(GpsPoint.Descriptor);

    /// <summary>Each sender appends and waits until it is durable.</summary>
    public async Task<string> ClosedLoopAsync(int senders, int rows)
    {
        await using var log = await OpenAsync();
        var lane = log.Lane(Table);
        using var stop = new CancellationTokenSource();
        var all = Enumerable.Range(0, senders).Select(i => new Sender(i, rows)).ToArray();
        var timed = false;
        var running = all.Select(sender => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await sender.AppendAsync(lane, Volatile.Read(ref timed));
            }
        })).ToArray();
        await Task.Delay(s_warmUp);
        Volatile.Write(ref timed, true);
        return await MeasureAsync($"{senders} senders, {rows} rows, wait", log, all, stop, running);
    }

    /// <summary>Senders append one row each at a fixed rate, whatever becomes of the rows before.</summary>
    public async Task<string> PacedAsync(int senders, int appendsPerSecond)
    {
        await using var log = await OpenAsync();
        var lane = log.Lane(Table);
        using var stop = new CancellationTokenSource();
        var all = Enumerable.Range(0, senders).Select(i => new Sender(i, 1)).ToArray();
        var timed = false;
        var running = new Thread(() =>
        {
            var started = Stopwatch.GetTimestamp();
            for (long sent = 0; !stop.IsCancellationRequested;)
            {
                var due = (long)(Stopwatch.GetElapsedTime(started).TotalSeconds * appendsPerSecond);
                for (; sent < due; sent++)
                {
                    all[sent % senders].Append(lane, Volatile.Read(ref timed));
                }

                Thread.Sleep(1);
            }
        });
        running.Start();
        await Task.Delay(s_warmUp);
        Volatile.Write(ref timed, true);
        var line = await MeasureAsync(
            $"{senders} senders, 1 row, {appendsPerSecond:N0}/s", log, all, stop, [Task.Run(running.Join)]);
        return line;
    }

    /// <summary>Threads append as fast as the lane takes it.</summary>
    public async Task<string> FloodAsync(int threads, int rows, bool enabled)
    {
        await using var log = await OpenAsync(enabled);
        var lane = log.Lane(Table);
        using var stop = new CancellationTokenSource();
        var all = Enumerable.Range(0, threads).Select(i => new Sender(i, rows)).ToArray();
        var running = all.Select(sender => Task.Factory.StartNew(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    var room = lane.WaitForRoomAsync();
                    if (!room.IsCompleted)
                    {
                        room.AsTask().Wait();
                    }

                    sender.Append(lane, timed: false);
                }
            },
            TaskCreationOptions.LongRunning)).ToArray();
        await Task.Delay(s_warmUp);
        return await MeasureAsync(
            $"{threads} threads, {rows} rows, flood{(enabled ? "" : ", log off")}", log, all, stop, running);
    }

    /// <summary>Opens a log with so many bytes that no store has taken.</summary>
    public async Task<string> RecoverAsync(long bytes)
    {
        var path = Path.Combine(directory, "unsent");
        var options = new LogOptions { DataDirectory = path };
        await using (var log = await SegmentLog.OpenAsync(options, [Table], NullLogger.Instance))
        {
            var sender = new Sender(1, 1000);
            while (log.Metrics.Bytes < bytes)
            {
                await log.Lane(Table).WaitForRoomAsync();
                sender.Append(log.Lane(Table), timed: false);
            }
        }

        await using var again = await SegmentLog.OpenAsync(options, [Table], NullLogger.Instance);
        var report = again.Recovery;
        return $"recovery of {report.Bytes / 1e6:F0} MB in {report.Segments} segments: {report.Elapsed.TotalSeconds:F2} s";
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private static async Task<string> MeasureAsync(
        string name, SegmentLog log, Sender[] senders, CancellationTokenSource stop, Task[] running)
    {
        var before = senders.Sum(sender => sender.Rows);
        var measurement = new Measurement(name, log.Metrics);
        await Task.Delay(s_duration);
        var rows = senders.Sum(sender => sender.Rows) - before;
        await stop.CancelAsync();
        var line = measurement.Finish(rows, [.. senders.SelectMany(sender => sender.Snapshot())]);
        await Task.WhenAll(running);
        return line;
    }

    private async Task<SegmentLog> OpenAsync(bool enabled = true)
    {
        var options = new LogOptions { DataDirectory = Path.Combine(directory, $"{_runs++}"), Enabled = enabled };
        var log = await SegmentLog.OpenAsync(options, [Table], NullLogger.Instance);
        _ = Task.Factory.StartNew(
            () =>
            {
                while (log.Sealed.WaitToReadAsync().AsTask().Result)
                {
                    while (log.Sealed.TryRead(out var segment))
                    {
                        log.Release(segment);
                    }
                }
            },
            TaskCreationOptions.LongRunning);
        return log;
    }
}
