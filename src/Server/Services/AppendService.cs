using System.Text;
using Google.Protobuf;
using Ingest.Admission;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.V1;

namespace Ingest.Server.Services;

/// <summary>The method Append of ingest.v1.IngestService: opens sessions of producers.</summary>
internal sealed class AppendService(IngestPipeline pipeline, AppendOptions options, TimeProvider time)
{
    public async Task AppendAsync(RequestStream requests, ResponseStream responses, CallContext call)
    {
        var decoder = new AppendDecoder();
        AppendOpen open = await ReadOpenAsync(decoder, requests);
        Check(open);
        var signal = new AsyncSignal();
        if (pipeline.Admission.MemoryState == Pressure.Hard)
        {
            // Without memory for a session there is nothing to say in band. Want of disk is told there.
            pipeline.Metrics.OnRefused(RefusalReason.Memory);
            throw AppendErrors.Refused(RefusalReason.Memory, pipeline.Admission.NextRetryDelay());
        }

        ProducerStream rows = pipeline.OpenProducer(
            open.Table, open.ProducerId, open.SessionEpoch, SenderKey.Of(call, open.ProducerId), signal.Set)
            ?? throw AppendErrors.UnknownTable(open.Table, pipeline.ProducerTables);
        pipeline.Admission.Watch(signal.Set);
        try
        {
            bool isKnown = await OpenAsync(rows);
            await new AppendSession(pipeline, rows, decoder, open, isKnown, signal, requests, responses, call, options, time)
                .RunAsync();
        }
        finally
        {
            pipeline.Admission.Unwatch(signal.Set);
            rows.Close();
        }
    }

    private static async Task<AppendOpen> ReadOpenAsync(AppendDecoder decoder, RequestStream requests)
    {
        while (await requests.WaitToReadAsync())
        {
            if (requests.TryRead(out ReadOnlySpan<byte> request))
            {
                if (!decoder.TryRead(request))
                {
                    throw AppendErrors.Malformed(0);
                }

                return decoder.Kind == AppendRequest.RequestOneofCase.Open
                    ? decoder.ReadOpen(request) ?? throw AppendErrors.Malformed(0)
                    : throw AppendErrors.NotOpened();
            }
        }

        throw AppendErrors.NotOpened();
    }

    private static void Check(AppendOpen open)
    {
        if (Encoding.UTF8.GetByteCount(open.ProducerId) is var bytes and > Batch.MaxProducerIdBytes)
        {
            throw AppendErrors.InvalidOpen(
                "producer_id", $"producer_id has {bytes} bytes; the limit is {Batch.MaxProducerIdBytes}.");
        }

        if (open.SessionEpoch < 0)
        {
            throw AppendErrors.InvalidOpen("session_epoch", $"session_epoch is {open.SessionEpoch}; it is 0 or more.");
        }

        if (!Enum.IsDefined(open.AckLevel))
        {
            throw AppendErrors.InvalidOpen("ack_level", $"ack_level {(int)open.AckLevel} is not known.");
        }
    }

    private static async Task<bool> OpenAsync(ProducerStream rows)
    {
        try
        {
            ProducerOpening opening = await rows.OpenAsync();
            return opening.Result switch
            {
                ProducerOpenResult.Opened => opening.IsKnown,
                ProducerOpenResult.OlderEpoch =>
                    throw AppendErrors.OlderEpoch(rows.ProducerId, rows.Epoch, opening.Epoch),
                _ => throw AppendErrors.TooManyProducers(),
            };
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            throw AppendErrors.NotDurable();
        }
    }
}
