using Ingest.Decoding;
using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.V1;

namespace Ingest.Server.Services;

/// <summary>ingest.v1.IngestService: takes rows from streams.</summary>
/// <remarks>Requests are read as bytes and decoded into columns; no request object is made.</remarks>
internal sealed class IngestService(IngestPipeline pipeline, AppendOptions appendOptions, TimeProvider time)
{
    public void Bind(GrpcServiceBinder binder) => binder
        .ClientStreaming<StreamGpsPointsRequest, StreamGpsPointsResponse>("StreamGpsPoints", StreamGpsPointsAsync)
        .ClientStreaming<StreamEventsRequest, StreamEventsResponse>("StreamEvents", StreamEventsAsync)
        .ClientStreaming<StreamMetricsRequest, StreamMetricsResponse>("StreamMetrics", StreamMetricsAsync)
        .ClientStreaming<StreamOrdersRequest, StreamOrdersResponse>("StreamOrders", StreamOrdersAsync)
        .DuplexStreaming<AppendRequest, AppendResponse>(
            "Append", new AppendService(pipeline, appendOptions, time).AppendAsync);

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
        finally
        {
            rows.Close();
        }
    }

    private async Task<RowStream> ReceiveAsync(RowStream rows, RequestStream requests, CallContext call)
    {
        RpcException? fault = null;
        try
        {
            await TakeAllAsync(rows, requests, call);
        }
        catch (RpcException error)
        {
            fault = error;
        }
        catch (OperationCanceledException) when (call.Reason == CancelReason.Draining)
        {
            // The time that the stream had to end is over.
            fault = GrpcErrors.ShuttingDown();
        }

        rows.EndTurn();
        try
        {
            // Whatever ended the stream: what came is kept, and its sender is told how much that is.
            await rows.CompleteAsync();
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Whatever became of the log, a full disk or the server's end, the rows may be sent again.
            throw AppendErrors.WithAccepted(AppendErrors.NotDurable(), rows.DurableCount);
        }

        return fault is null ? rows : throw AppendErrors.WithAccepted(fault, rows.AcceptedCount);
    }

    private async Task TakeAllAsync(RowStream rows, RequestStream requests, CallContext call)
    {
        ThrowIfRefused(rows);
        long request = 0;
        while (rows.Failure is null && await requests.WaitToReadAsync())
        {
            ValueTask turn = rows.BeginTurnAsync(call.CancellationToken);
            if (!turn.IsCompletedSuccessfully)
            {
                await turn;
            }

            ThrowIfRefused(rows);
            while (rows.TurnGoesOn && requests.TryRead(out ReadOnlySpan<byte> bytes))
            {
                RequestResult result = rows.Append(bytes);
                if (result != RequestResult.Decoded)
                {
                    throw result == RequestResult.TooManyRows
                        ? AppendErrors.TooManyRows(request, rows.MaxRequestRows)
                        : AppendErrors.MalformedAfter(request, rows.RequestFault, rows.AcceptedCount);
                }

                request++;
            }

            rows.EndTurn();
        }
    }

    private void ThrowIfRefused(RowStream rows)
    {
        if (rows.Refusal is var reason and not RefusalReason.Unspecified)
        {
            pipeline.Metrics.OnRefused(reason);
            throw AppendErrors.Refused(reason, rows.NextRetryDelay());
        }
    }
}
