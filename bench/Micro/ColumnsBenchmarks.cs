using BenchmarkDotNet.Attributes;
using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.V1;

namespace Ingest.Micro;

/// <summary>
/// The same rows as messages and as columns, from a serialized request to the table's columns, with every rule checked.
/// </summary>
[MemoryDiagnoser]
public class ColumnsBenchmarks
{
    private readonly byte[] _rows;
    private readonly byte[] _distinct;
    private readonly byte[] _repeated;
    private readonly byte[] _oneBad;
    private readonly byte[] _events;
    private readonly Batch _pointBatch = new(TableSchema.FromDescriptor(GpsPoint.Descriptor));
    private readonly Batch _eventBatch = new(TableSchema.FromDescriptor(Event.Descriptor));
    private readonly RequestDecoder _pointDecoder;
    private readonly RequestDecoder _eventDecoder;
    private readonly RequestReader _reader = new();

    /// <summary>Compiles the plans and makes the requests.</summary>
    public ColumnsBenchmarks()
    {
        _pointDecoder = new RequestDecoder(new RowDecoder(_pointBatch.Table));
        _eventDecoder = new RequestDecoder(new RowDecoder(_eventBatch.Table));
        StreamGpsPointsRequest points = Requests.Points();
        _rows = points.ToByteArray();
        _distinct = new StreamGpsPointsRequest { Columns = ColumnRequests.Points(points.Points) }.ToByteArray();
        GpsPointColumns repeated = ColumnRequests.Points(points.Points.Select((point, i) =>
        {
            GpsPoint of50 = point.Clone();
            (of50.DriverId, of50.OrderId) = ($"driver_{i % 50}", $"order_{i % 50 * 7}");
            return of50;
        }));
        _repeated = new StreamGpsPointsRequest { Columns = repeated }.ToByteArray();
        repeated.SpeedKph[500] = -1;
        _oneBad = new StreamGpsPointsRequest { Columns = repeated }.ToByteArray();
        _events = new StreamEventsRequest { Columns = ColumnRequests.Events(Requests.Events().Events) }.ToByteArray();
    }

    /// <summary>GPS points as messages.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Requests.Rows)]
    public int Rows() => _reader.Read(_pointDecoder, _rows, _pointBatch);

    /// <summary>The same points as columns: each driver and order once, so without dictionaries.</summary>
    [Benchmark(OperationsPerInvoke = Requests.Rows)]
    public int ColumnsOfDistinctIds() => _reader.Read(_pointDecoder, _distinct, _pointBatch);

    /// <summary>Points of 50 drivers as columns, ids with a dictionary.</summary>
    [Benchmark(OperationsPerInvoke = Requests.Rows)]
    public int ColumnsOf50Drivers() => _reader.Read(_pointDecoder, _repeated, _pointBatch);

    /// <summary>The same with a row that is rejected: all are written out as messages.</summary>
    [Benchmark(OperationsPerInvoke = Requests.Rows)]
    public int ColumnsWithABadRow() => _reader.Read(_pointDecoder, _oneBad, _pointBatch, 1);

    /// <summary>Events with five properties as columns.</summary>
    [Benchmark(OperationsPerInvoke = Requests.Rows)]
    public int EventColumns() => _reader.Read(_eventDecoder, _events, _eventBatch);
}
