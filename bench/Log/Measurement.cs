using System.Diagnostics;
using Ingest.Log;

namespace Ingest.LogBench;

/// <summary>One scenario's figures: what the log counted between two moments, and the latencies of the senders.</summary>
internal sealed class Measurement
{
    private readonly string _name;
    private readonly LogMetrics _metrics;
    private readonly List<double> _flushes = [];
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly TimeSpan _cpu = Process.GetCurrentProcess().TotalProcessorTime;
    private readonly long _allocated = GC.GetTotalAllocatedBytes();
    private readonly (long Rows, long Bytes, long Blocks, long Groups) _before;

    public Measurement(string name, LogMetrics metrics)
    {
        _name = name;
        _metrics = metrics;
        _before = (metrics.Rows, metrics.Bytes, metrics.Blocks, metrics.Groups);
        metrics.Flushed += (_, time) =>
        {
            lock (_flushes)
            {
                _flushes.Add(time.TotalMilliseconds);
            }
        };
    }

    public static string Heading =>
        $"{"scenario",-36}{"rows/s",11}{"MB/s",7}{"blocks/s",9}{"groups/s",9}{"flush p50",10}{"p99 ms",8}"
        + $"{"ack p50",9}{"p99 ms",8}{"cpu",6}{"B/row",8}";

    public string Finish(long rows, List<double> acks)
    {
        var seconds = Stopwatch.GetElapsedTime(_started).TotalSeconds;
        var cpu = (Process.GetCurrentProcess().TotalProcessorTime - _cpu).TotalSeconds / seconds;
        var allocated = (GC.GetTotalAllocatedBytes() - _allocated) / (double)Math.Max(1, rows);
        return $"{_name,-36}{rows / seconds,11:N0}{(_metrics.Bytes - _before.Bytes) / seconds / 1e6,7:F1}"
            + $"{(_metrics.Blocks - _before.Blocks) / seconds,9:N0}{(_metrics.Groups - _before.Groups) / seconds,9:N0}"
            + $"{At(_flushes, 0.5),10:F2}{At(_flushes, 0.99),8:F2}{At(acks, 0.5),9:F2}{At(acks, 0.99),8:F2}"
            + $"{cpu,6:F2}{allocated,8:F1}";
    }

    private static double At(List<double> values, double quantile)
    {
        lock (values)
        {
            values.Sort();
            return values.Count == 0 ? 0 : values[(int)(quantile * (values.Count - 1))];
        }
    }
}
