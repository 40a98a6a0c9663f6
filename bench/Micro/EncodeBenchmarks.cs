using BenchmarkDotNet.Attributes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.V1;

namespace Ingest.Micro;

/// <summary>From a full batch of columns to the pieces of its Native block, a row.</summary>
[MemoryDiagnoser]
public class EncodeBenchmarks
{
    private const int Rows = 8 * Requests.Rows;

    private readonly Batch _points = Fill(GpsPoint.Descriptor, Requests.Points().ToByteArray());
    private readonly Batch _events = Fill(Event.Descriptor, Requests.Events().ToByteArray());
    private readonly List<ReadOnlyMemory<byte>> _parts = [];

    /// <summary>GPS points.</summary>
    [Benchmark(OperationsPerInvoke = Rows)]
    public long Points() => Encode(_points);

    /// <summary>Events.</summary>
    [Benchmark(OperationsPerInvoke = Rows)]
    public long Events() => Encode(_events);

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
