using Ingest.Decoding;
using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.V1;

namespace Ingest.Server.Services;

/// <summary>ingest.v1.IngestService: takes rows from streams.</summary>
/// <remarks>Requests are read as bytes and decoded into columns; no request object is made.</remarks>
internal sealed class IngestService(IngestPipeline pipeline, AppendOptions appendOptions)
{
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
            throw AppendErrors.WithAccepted(GrpcErrors.ShuttingDown(), rows.AcceptedCount);
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
            throw AppendErrors.WithAccepted(
                AppendErrors.Refused(refusal, pipeline.Admission.NextRetryDelay()), rows.AcceptedCount);
        }

        return result switch
        {
            RequestResult.Decoded => rows,
            RequestResult.TooManyRows => throw AppendErrors.WithAccepted(
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
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Whatever became of the log, a full disk or the server's end, the rows may be sent again.
            throw AppendErrors.WithAccepted(AppendErrors.NotDurable(), rows.DurableCount);
        }
    }

    private static RpcException Refused(long request, RowStream rows) => AppendErrors.WithAccepted(
        AppendErrors.MalformedAfter(request, rows.RequestFault, rows.AcceptedCount), rows.AcceptedCount);
}
