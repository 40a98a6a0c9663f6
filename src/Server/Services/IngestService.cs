using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Ingest.Decoding;
using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.V1;

namespace Ingest.Server.Services;

/// <summary>ingest.v1.IngestService: takes rows from streams.</summary>
/// <remarks>Requests are read as bytes and decoded into columns; no request object is made.</remarks>
internal sealed class IngestService(IngestPipeline pipeline, AppendOptions appendOptions)
{
    /// <summary>Trailer that says how many rows of a stream that ended early are durable.</summary>
    public const string AcceptedCountTrailer = "ingest-accepted-count";

    private static readonly TimeSpan s_retryDelay = TimeSpan.FromSeconds(1);

    public void Bind(GrpcServiceBinder binder) => binder
        .ClientStreaming<StreamGpsPointsRequest, StreamGpsPointsResponse>("StreamGpsPoints", StreamGpsPointsAsync)
        .ClientStreaming<StreamEventsRequest, StreamEventsResponse>("StreamEvents", StreamEventsAsync)
        .ClientStreaming<StreamMetricsRequest, StreamMetricsResponse>("StreamMetrics", StreamMetricsAsync)
        .ClientStreaming<StreamOrdersRequest, StreamOrdersResponse>("StreamOrders", StreamOrdersAsync)
        .DuplexStreaming<AppendRequest, AppendResponse>(
            "Append", new AppendService(pipeline, appendOptions, TimeProvider.System).AppendAsync);

    private async Task<StreamGpsPointsResponse> StreamGpsPointsAsync(RequestStream requests, CallContext call)
    {
        RowStream rows = await ReceiveAsync(GpsPoint.Descriptor.FullName, requests, call);
        return new() { AcceptedCount = rows.AcceptedCount, RejectedCount = rows.RejectedCount, Errors = { rows.Errors } };
    }

    private async Task<StreamEventsResponse> StreamEventsAsync(RequestStream requests, CallContext call)
    {
        RowStream rows = await ReceiveAsync(Event.Descriptor.FullName, requests, call);
        return new() { AcceptedCount = rows.AcceptedCount, RejectedCount = rows.RejectedCount, Errors = { rows.Errors } };
    }

    private async Task<StreamMetricsResponse> StreamMetricsAsync(RequestStream requests, CallContext call)
    {
        RowStream rows = await ReceiveAsync(MetricSample.Descriptor.FullName, requests, call);
        return new() { AcceptedCount = rows.AcceptedCount, RejectedCount = rows.RejectedCount, Errors = { rows.Errors } };
    }

    private async Task<StreamOrdersResponse> StreamOrdersAsync(RequestStream requests, CallContext call)
    {
        RowStream rows = await ReceiveAsync(Order.Descriptor.FullName, requests, call);
        return new() { AcceptedCount = rows.AcceptedCount, RejectedCount = rows.RejectedCount, Errors = { rows.Errors } };
    }

    /// <summary>Takes all requests of a stream; returns when what was taken is durable.</summary>
    private async Task<RowStream> ReceiveAsync(string message, RequestStream requests, CallContext call)
    {
        RowStream rows = pipeline.OpenStream(message, SenderKey.Of(call));
        try
        {
            return await ReceiveAsync(rows, requests, call);
        }
        catch (OperationCanceledException) when (call.Reason == CancelReason.Draining)
        {
            // The time that the stream had to end is over. What came is kept, and its sender is told how much that is.
            await CompleteAsync(rows);
            throw WithAccepted(AppendErrors.ShuttingDown(), rows.AcceptedCount);
        }
        finally
        {
            rows.Close();
        }
    }

    private async Task<RowStream> ReceiveAsync(RowStream rows, RequestStream requests, CallContext call)
    {
        long request = 0;
        RequestResult result = RequestResult.Decoded;
        RefusalReason refusal = pipeline.Admission.Refusal;
        while (result == RequestResult.Decoded && refusal == RefusalReason.Unspecified && rows.Failure is null
            && await requests.WaitToReadAsync())
        {
            ValueTask turn = rows.BeginTurnAsync(call.CancellationToken);
            if (!turn.IsCompletedSuccessfully)
            {
                await turn;
            }

            refusal = pipeline.Admission.Refusal;
            while (refusal == RefusalReason.Unspecified && rows.TurnGoesOn
                && requests.TryRead(out ReadOnlySpan<byte> bytes))
            {
                result = rows.Append(bytes);
                if (result != RequestResult.Decoded)
                {
                    break;
                }

                request++;
            }

            rows.EndTurn();
        }

        await CompleteAsync(rows);
        if (refusal != RefusalReason.Unspecified)
        {
            pipeline.Metrics.OnRefused(refusal);
            throw WithAccepted(
                AppendErrors.Refused(refusal, pipeline.Admission.NextRetryDelay()), rows.AcceptedCount);
        }

        return result switch
        {
            RequestResult.Decoded => rows,
            RequestResult.TooManyRows => throw WithAccepted(
                AppendErrors.TooManyRows(request, rows.MaxRequestRows), rows.AcceptedCount),
            _ => throw Refused(request, rows),
        };
    }

    private static async Task CompleteAsync(RowStream rows)
    {
        try
        {
            await rows.CompleteAsync();
        }
        catch (IOException)
        {
            throw NotDurable();
        }
    }

    private static RpcException WithAccepted(RpcException error, long accepted)
    {
        error.Trailers.Add(AcceptedCountTrailer, accepted.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return error;
    }

    private static RpcException Refused(long request, RowStream rows)
    {
        long accepted = rows.AcceptedCount;
        var trailers = new Metadata();
        trailers.Add(AcceptedCountTrailer, accepted.ToString(System.Globalization.CultureInfo.InvariantCulture));
        string cause = rows.RequestFault is { } misfit
            ? $"The columns of request {request} make no rows: {misfit}"
            : $"Request {request} is not a valid protobuf message";
        string text = $"{cause}; {accepted} rows of earlier requests landed.";
        var fault = new BadRequest
        {
            FieldViolations = { new BadRequest.Types.FieldViolation { Field = $"request[{request}]", Description = text } },
        };
        return new RpcException(
            new Google.Rpc.Status
            {
                Code = (int)StatusCode.InvalidArgument,
                Message = text,
                Details = { Any.Pack(fault) },
            },
            trailers);
    }

    private static RpcException NotDurable()
    {
        var trailers = new Metadata();
        trailers.Add("grpc-retry-pushback-ms", $"{s_retryDelay.TotalMilliseconds:0}");
        var status = new Google.Rpc.Status
        {
            Code = (int)StatusCode.Unavailable,
            Message = "The log could not be written; what was sent and not acknowledged may be lost.",
            Details = { Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(s_retryDelay) }) },
        };
        return new RpcException(status, trailers);
    }
}
