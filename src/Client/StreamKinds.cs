using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.Reflection;
using Ingest.V1;

namespace Ingest.Client;

/// <summary>The methods that take rows.</summary>
internal static class StreamKinds
{
    /// <summary>The key of the request's repeated rows: <c>field 1, wire type 2 (length-delimited)</c>.</summary>
    public const byte RowsKey = (StreamGpsPointsRequest.PointsFieldNumber << 3) | 2;

    /// <summary>The key of the request's rows as columns: <c>field 2, wire type 2</c>.</summary>
    public const byte ColumnsKey = (StreamGpsPointsRequest.ColumnsFieldNumber << 3) | 2;

    public static readonly StreamKind<GpsPoint> GpsPoints = Of<GpsPoint, StreamGpsPointsResponse>(
        "StreamGpsPoints", static r => Result(r.AcceptedCount, r.RejectedCount, r.Errors));

    public static readonly StreamKind<Event> Events = Of<Event, StreamEventsResponse>(
        "StreamEvents", static r => Result(r.AcceptedCount, r.RejectedCount, r.Errors));

    public static readonly StreamKind<MetricSample> Metrics = Of<MetricSample, StreamMetricsResponse>(
        "StreamMetrics", static r => Result(r.AcceptedCount, r.RejectedCount, r.Errors));

    public static readonly StreamKind<Order> Orders = Of<Order, StreamOrdersResponse>(
        "StreamOrders", static r => Result(r.AcceptedCount, r.RejectedCount, r.Errors));

    private static StreamKind<TRow> Of<TRow, TResponse>(string method, Func<TResponse, StreamResult> toResult)
        where TRow : class, IMessage<TRow>
        where TResponse : IMessage<TResponse>, new()
    {
        var service = IngestServiceReflection.Descriptor.FindTypeByName<ServiceDescriptor>("IngestService");
        var parser = new MessageParser<TResponse>(static () => new TResponse());
        return new StreamKind<TRow>(
            $"/{service.FullName}/{service.FindMethodByName(method).Name}",
            message => toResult(parser.ParseFrom(message.Span)));
    }

    private static StreamResult Result(long accepted, long rejected, RepeatedField<RowError> errors) =>
        new(accepted, rejected, errors);
}
