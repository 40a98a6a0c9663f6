using BenchmarkDotNet.Attributes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.V1;

namespace Ingest.Micro;

/// <summary>
/// What the rules of a GPS point cost: read with and without them, as columns by us, and as objects by Google.Protobuf
/// with the same rules written by hand; and once with a bad row in ten.
/// </summary>
[MemoryDiagnoser]
public class ValidateBenchmarks
{
    private const int BadRowEach = 10;

    private readonly byte[] _good;
    private readonly byte[] _someBad;
    private readonly Batch _batch = new(TableSchema.FromDescriptor(GpsPoint.Descriptor));
    private readonly Batch _batchWithoutRules = new(TableSchema.FromDescriptor(WithoutRules()));
    private readonly RequestDecoder _decoder;
    private readonly RequestDecoder _decoderWithoutRules;
    private readonly RequestReader _reader = new();

    /// <summary>Compiles the plans and makes the requests.</summary>
    public ValidateBenchmarks()
    {
        _decoder = new RequestDecoder(new RowDecoder(_batch.Table));
        _decoderWithoutRules = new RequestDecoder(new RowDecoder(_batchWithoutRules.Table));
        StreamGpsPointsRequest request = Requests.Points();
        _good = request.ToByteArray();
        for (int i = 0; i < Requests.Rows; i += BadRowEach)
        {
            request.Points[i].SpeedKph = -1;
        }

        _someBad = request.ToByteArray();
    }

    /// <summary>Objects, nothing checked.</summary>
    [Benchmark(OperationsPerInvoke = Requests.Rows)]
    public int ObjectsUnchecked() => StreamGpsPointsRequest.Parser.ParseFrom(_good).Points.Count;

    /// <summary>Objects, checked by hand.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Requests.Rows)]
    public int ObjectsChecked() => CheckObjects(_good, 0);

    /// <summary>Objects, of which one in ten is bad.</summary>
    [Benchmark(OperationsPerInvoke = Requests.Rows)]
    public int ObjectsOneInTenBad() => CheckObjects(_someBad, Requests.Rows / BadRowEach);

    /// <summary>Columns of the same message without its rules; UTF-8 is validated all the same.</summary>
    [Benchmark(OperationsPerInvoke = Requests.Rows)]
    public int ColumnsUnchecked() => _reader.Read(_decoderWithoutRules, _good, _batchWithoutRules);

    /// <summary>Columns, checked.</summary>
    [Benchmark(OperationsPerInvoke = Requests.Rows)]
    public int ColumnsChecked() => _reader.Read(_decoder, _good, _batch);

    /// <summary>Columns, where one row in ten is bad: rejected with field, code and text.</summary>
    [Benchmark(OperationsPerInvoke = Requests.Rows)]
    public int ColumnsOneInTenBad() => _reader.Read(_decoder, _someBad, _batch, Requests.Rows / BadRowEach);

    private static int CheckObjects(byte[] request, int rejected)
    {
        int bad = 0;
        foreach (GpsPoint point in StreamGpsPointsRequest.Parser.ParseFrom(request).Points)
        {
            if (PointRules.Broken(point, Requests.NowSeconds) is not null)
            {
                bad++;
            }
        }

        return bad == rejected ? bad : throw new InvalidOperationException("the rows are not what they should be");
    }

    // The same fields with the same types, as somebody's own image: the options of each field keep all but the rules.
    private static MessageDescriptor WithoutRules()
    {
        FileDescriptor file = GpsPoint.Descriptor.File;
        return FileDescriptor.BuildFromByteStrings(
            [.. Files(file).Select(Bare)],
            new ExtensionRegistry { OptionsExtensions.Table, OptionsExtensions.Column })[^1]
            .FindTypeByName<MessageDescriptor>(GpsPoint.Descriptor.Name);
    }

    private static IEnumerable<FileDescriptor> Files(FileDescriptor file) =>
        file.Dependencies.SelectMany(Files).Append(file).DistinctBy(f => f.Name);

    private static ByteString Bare(FileDescriptor file)
    {
        FileDescriptorProto proto = file.ToProto();
        foreach (FieldDescriptorProto field in proto.MessageType.SelectMany(m => m.Field))
        {
            if (field.Options?.GetExtension(OptionsExtensions.Column) is { } column)
            {
                column.Rules = null;
                field.Options.SetExtension(OptionsExtensions.Column, column);
            }
        }

        return proto.ToByteString();
    }
}
