using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.V1;

namespace Ingest.Micro;

/// <summary>
/// From rows in memory to the bytes that ClickHouse is sent: a batch of columns to its Native block, named in pieces
/// and copied into one; and objects of the same rows to JSONEachRow and to RowBinary, by hand.
/// </summary>
[MemoryDiagnoser]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
[CategoriesColumn]
public class EncodeBenchmarks
{
    private const int Rows = 8 * Requests.Rows;

    private readonly Batch _points = Fill(GpsPoint.Descriptor, Requests.Points().ToByteArray());
    private readonly Batch _events = Fill(Event.Descriptor, Requests.Events().ToByteArray());
    private readonly List<ReadOnlyMemory<byte>> _parts = [];
    private readonly GpsPoint[] _pointObjects = [.. Enumerable.Repeat(Requests.Points().Points, 8).SelectMany(p => p)];
    private readonly Event[] _eventObjects = [.. Enumerable.Repeat(Requests.Events().Events, 8).SelectMany(e => e)];
    private readonly MemoryStream _bytes = new();

    /// <summary>GPS points to lines of JSON.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Rows)]
    [BenchmarkCategory("points")]
    public long PointsToJson()
    {
        _bytes.SetLength(0);
        PointText.WriteJson(_pointObjects, _bytes);
        return _bytes.Length;
    }

    /// <summary>GPS points to RowBinary.</summary>
    [Benchmark(OperationsPerInvoke = Rows)]
    [BenchmarkCategory("points")]
    public long PointsToRowBinary()
    {
        _bytes.SetLength(0);
        PointText.WriteRowBinary(_pointObjects, _bytes);
        return _bytes.Length;
    }

    /// <summary>GPS points to a Native block in one piece.</summary>
    [Benchmark(OperationsPerInvoke = Rows)]
    [BenchmarkCategory("points")]
    public long PointsToBlock() => Copy(_points);

    /// <summary>GPS points to the pieces of a Native block, as they are written to the log.</summary>
    [Benchmark(OperationsPerInvoke = Rows)]
    [BenchmarkCategory("points")]
    public long PointsToPieces() => Encode(_points);

    /// <summary>Events to lines of JSON, by Google.Protobuf.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Rows)]
    [BenchmarkCategory("events")]
    public long EventsToJson()
    {
        _bytes.SetLength(0);
        using var writer = new StreamWriter(_bytes, leaveOpen: true);
        foreach (Event row in _eventObjects)
        {
            JsonFormatter.Default.Format(row, writer);
            writer.Write('\n');
        }

        writer.Flush();
        return _bytes.Length;
    }

    /// <summary>Events to a Native block in one piece.</summary>
    [Benchmark(OperationsPerInvoke = Rows)]
    [BenchmarkCategory("events")]
    public long EventsToBlock() => Copy(_events);

    /// <summary>Events to the pieces of a Native block.</summary>
    [Benchmark(OperationsPerInvoke = Rows)]
    [BenchmarkCategory("events")]
    public long EventsToPieces() => Encode(_events);

    private static Batch Fill(MessageDescriptor type, byte[] request)
    {
        var batch = new Batch(TableSchema.FromDescriptor(type));
        var decoder = new RequestDecoder(new RowDecoder(batch.Table));
        while (batch.RowCount < Rows)
        {
            decoder.TryAppend(request, batch, Requests.NowSeconds, []);
        }

        batch.AddEntry(new BatchEntry(new NoSink(), "producer", 1, 0, Rows, 0, Rows));
        return batch;
    }

    private long Encode(Batch batch)
    {
        _parts.Clear();
        return batch.Encode(segmentId: 1, _parts);
    }

    private long Copy(Batch batch)
    {
        Encode(batch);
        _bytes.SetLength(0);
        foreach (ReadOnlyMemory<byte> part in _parts)
        {
            _bytes.Write(part.Span);
        }

        return _bytes.Length;
    }

    private sealed class NoSink : AppendSink
    {
        public override void OnCommitted(in BatchEntry entry)
        {
        }

        public override void OnFailed(in BatchEntry entry, Exception cause)
        {
        }
    }
}
