using System.Diagnostics;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.V1;

namespace Ingest.LogBench;

/// <summary>A stream of GPS points: one message at a time into the lane, and the time until it is durable.</summary>
internal sealed class Sender : AppendSink
{
    private static readonly RowDecoder s_decoder = new(LogBench.Table);
    private static readonly long s_now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    private readonly byte[] _row;
    private readonly int _rows;
    private readonly Queue<long> _sent = new();
    private TaskCompletionSource? _settled;
    private long _offset;

    public Sender(int number, int rows)
    {
        _rows = rows;
        _row = new GpsPoint
        {
            DriverId = $"driver-{number}",
            OrderId = $"order-{number % 7}",
            Location = new Location { Lat = 52.5 + (number / 1e4), Lon = 13.4 },
            SpeedKph = 31.5f,
            TripStage = TripStage.ToDropoff,
            ZoneType = "residential",
            Timestamp = Timestamp.FromDateTime(DateTime.UtcNow),
        }.ToByteArray();
    }

    private readonly List<double> _acks = [];

    public long Rows => _offset;

    public void Append(Lane lane, bool timed)
    {
        if (timed)
        {
            lock (_sent)
            {
                _sent.Enqueue(Stopwatch.GetTimestamp());
            }
        }

        var batch = lane.Rent();
        var first = batch.RowCount;
        for (var i = 0; i < _rows; i++)
        {
            if (s_decoder.TryAppend(_row, batch, s_now, out _) != RowResult.Accepted)
            {
                throw new InvalidOperationException("the row was refused");
            }
        }

        batch.AddEntry(new BatchEntry(this, "", 0, _offset, _rows, first, _rows));
        _offset += _rows;
        lane.Return(batch);
    }

    /// <summary>Milliseconds from append to durable, one an append that was timed.</summary>
    public double[] Snapshot()
    {
        lock (_sent)
        {
            return [.. _acks];
        }
    }

    /// <summary>Appends and waits until it is durable.</summary>
    public Task AppendAsync(Lane lane, bool timed)
    {
        var settled = _settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Append(lane, timed);
        return settled.Task;
    }

    public override void OnCommitted(in BatchEntry entry)
    {
        // An entry may stand for several appends in a row.
        var appends = entry.OffsetCount / _rows;
        lock (_sent)
        {
            for (var i = 0; i < appends && _sent.TryDequeue(out var sent); i++)
            {
                _acks.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            }
        }

        Interlocked.Exchange(ref _settled, null)?.SetResult();
    }

    public override void OnFailed(in BatchEntry entry, Exception cause) =>
        Environment.FailFast("the disk failed during a measurement", cause);
}
