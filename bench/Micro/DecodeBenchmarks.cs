using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.V1;

namespace Ingest.Micro;

/// <summary>
/// From a serialized request to columns, with every rule checked; and what Google.Protobuf takes to make objects of the
/// same bytes and look at their fields, with nothing checked and nothing stored.
/// </summary>
[MemoryDiagnoser]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
[CategoriesColumn]
public class DecodeBenchmarks
{
    private readonly byte[] _points = Requests.Points().ToByteArray();
    private readonly byte[] _events = Requests.Events().ToByteArray();
    private readonly Batch _pointBatch = new(TableSchema.FromDescriptor(GpsPoint.Descriptor));
    private readonly Batch _eventBatch = new(TableSchema.FromDescriptor(Event.Descriptor));
    private readonly RequestDecoder _pointDecoder;
    private readonly RequestDecoder _eventDecoder;
    private readonly RequestReader _reader = new();

    /// <summary>Compiles the plans.</summary>
    public DecodeBenchmarks()
    {
        _pointDecoder = new RequestDecoder(new RowDecoder(_pointBatch.Table));
        _eventDecoder = new RequestDecoder(new RowDecoder(_eventBatch.Table));
    }

    /// <summary>GPS points to columns.</summary>
    [Benchmark(OperationsPerInvoke = Requests.Rows)]
    [BenchmarkCategory("points")]
    public int PointsToColumns() => _reader.Read(_pointDecoder, _points, _pointBatch);

    /// <summary>GPS points to objects.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Requests.Rows)]
    [BenchmarkCategory("points")]
    public double PointsToObjects()
    {
        double sum = 0;
        foreach (GpsPoint point in StreamGpsPointsRequest.Parser.ParseFrom(_points).Points)
        {
            sum += point.DriverId.Length + point.OrderId.Length + point.Location.Lat + point.Location.Lon
                + point.SpeedKph + (int)point.TripStage + (int)point.TrafficDensity + point.ZoneType.Length
                + point.Timestamp.Seconds + point.Timestamp.Nanos;
        }

        return sum;
    }

    /// <summary>Events to columns.</summary>
    [Benchmark(OperationsPerInvoke = Requests.Rows)]
    [BenchmarkCategory("events")]
    public int EventsToColumns() => _reader.Read(_eventDecoder, _events, _eventBatch);

    /// <summary>Events to objects.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Requests.Rows)]
    [BenchmarkCategory("events")]
    public double EventsToObjects()
    {
        double sum = 0;
        foreach (Event row in StreamEventsRequest.Parser.ParseFrom(_events).Events)
        {
            sum += row.EventId.Length + row.EventType.Length + row.EntityType.Length + row.EntityId.Length
                + row.Timestamp.Seconds + row.Timestamp.Nanos + row.Properties.Fields.Count;
        }

        return sum;
    }
}
