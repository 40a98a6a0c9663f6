using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Log;
using Ingest.Admission;
using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.V1;

namespace Ingest.Server.Services;

/// <content>The loop that answers.</content>
internal sealed partial class AppendSession
{
    private const int MaxErrorsAnAck = 1000;

    // A producer has one refusal at a time; a sender without an id, whose offsets nobody counts, has one a request.
    private const int MaxWaitingRefusals = 16;

    private const int SoftCreditDivisor = 4;

    private readonly ResponseStream _responses;
    private readonly TimeProvider _time;
    private readonly AsyncSignal _written = new();
    private readonly Queue<AppendRefusal> _refusals = new();
    private volatile int _waitingRefusals;
    private volatile bool _writingEnded;
    private (long Received, long Durable, long Stored) _acked;
    private bool _acksAgain;
    private bool _drainTold;
    private volatile bool _drainOver;

    private bool HasManyRefusals => _waitingRefusals >= MaxWaitingRefusals;

    // Nothing is dropped that the client has to hear: what it sends waits until it takes what it is told.
    private bool MustWaitForWriter => HasManyRefusals || _rows.ErrorCount > MaxWaitingErrors;

    private async Task WriteAsync()
    {
        try
        {
            WriteOpened();
            await FlushAsync();
            while (true)
            {
                await _signal.WaitAsync(_call.CancellationToken);
                EndWhenDue();

                // Asked before the watermarks are read, so that the last ack has all of them.
                bool isLast = _readingEnded && IsSettled();
                WritePending(isLast);
                await FlushAsync();
                _written.Set();
                if (isLast)
                {
                    return;
                }
            }
        }
        finally
        {
            // Whatever ends this loop, nobody would answer the other any more.
            _writingEnded = true;
            if (!_readingEnded)
            {
                _requests.Interrupt();
            }

            _written.Set();
        }
    }

    // Rows that cannot be made durable any more are not waited for.
    private bool IsSettled()
    {
        if (_rows.Failure is not null || _rows.FencedBy >= 0)
        {
            return true;
        }

        long end = _rows.ReceivedOffset;
        return _rows.DurableOffset >= end
            && (_level != AckLevel.Stored || !_requestsEnded || _call.Draining.IsCancellationRequested
                || _rows.StoredOffset >= end);
    }

    private void EndWhenDue()
    {
        if (_rows.FencedBy is >= 0 and var epoch)
        {
            End(AppendErrors.Fenced(_rows.ProducerId, epoch));
        }
        else if (_rows.Failure is TooManyGapsException gaps)
        {
            End(AppendErrors.TooManyGaps(gaps.Message));
        }
        else if (_rows.Failure is not null)
        {
            EndNotDurable();
        }
        else if (_drainOver)
        {
            End(GrpcErrors.ShuttingDown());
        }
        else if (_call.Draining.IsCancellationRequested && !_drainTold)
        {
            _drainTold = true;
            _responses.Write(new AppendResponse
            {
                Draining = new AppendDraining
                {
                    After = Duration.FromTimeSpan(_options.DrainDelay),
                    DurableOffset = _rows.DurableOffset,
                },
            });
            _ = WaitForDrainAsync();
        }
    }

    // Told in band too, where a sender looks for refusals: then it knows what to wait for.
    private void EndNotDurable()
    {
        if (_ending is not null)
        {
            return;
        }

        RpcException ending = AppendErrors.NotDurable();
        _pipeline.Metrics.OnRefused(RefusalReason.Disk);
        AddRefusal(new AppendRefusal
        {
            Offset = _rows.DurableOffset,
            ExpectedOffset = _rows.ProducerId.Length > 0 ? _rows.DurableOffset : 0,
            Reason = RefusalReason.Disk,
            Message = ending.Message,
            RetryAfter = Duration.FromTimeSpan(GrpcErrors.RetryDelay),
        });
        End(ending);
    }

    private async Task WaitForDrainAsync()
    {
        await Task.Delay(_options.DrainDelay, _time);
        _drainOver = true;
        _signal.Set();
    }

    // The reader stops; what it took is made durable and acknowledged.
    private void End(RpcException ending)
    {
        if (Interlocked.CompareExchange(ref _ending, ending, null) is null && !_readingEnded)
        {
            _requests.Interrupt();
        }
    }

    private void WriteOpened() => _responses.Write(new AppendResponse
    {
        Opened = new AppendOpened
        {
            DurableOffset = _acked.Durable,
            StoredOffset = _acked.Stored,
            CreditBytes = _credit.Told,
            MaxRequestBytes = _options.MaxRequestBytes,
            SchemaFingerprint = ByteString.CopyFrom(_rows.Table.Schema.Fingerprint.Span),
        },
    });

    // The reader asks HasManyRefusals before each request, so there is always room.
    private void AddRefusal(AppendRefusal refusal)
    {
        lock (_refusals)
        {
            _refusals.Enqueue(refusal);
            _waitingRefusals = _refusals.Count;
        }
    }

    private void WritePending(bool isLast)
    {
        lock (_refusals)
        {
            while (_refusals.TryDequeue(out AppendRefusal? refusal))
            {
                _responses.Write(new AppendResponse { Refusal = refusal });
            }

            _waitingRefusals = 0;
        }

        // In this order, so that no watermark is seen above the one that it follows.
        long stored = _rows.StoredOffset;
        long durable = _rows.DurableOffset;
        long received = _rows.ReceivedOffset;
        long grant = _credit.TakeGrant(durable, CreditNow(), out long settled);
        _rows.Release(settled);
        grant = isLast ? 0 : grant;
        if (grant > 0)
        {
            _responses.Write(new AppendResponse { Credit = new AppendCredit { Bytes = grant } });
        }

        bool isWorth = _level switch
        {
            AckLevel.Received => received > _acked.Received || durable > _acked.Durable,
            AckLevel.Stored => stored > _acked.Stored,
            _ => durable > _acked.Durable,
        };
        isWorth |= isLast && (received, durable, stored) != _acked;
        // In one step: a duplicate that comes between a look and a clearing would never be acknowledged.
        isWorth |= Interlocked.Exchange(ref _acksAgain, false);
        while (isWorth || _rows.ErrorCount > 0)
        {
            isWorth = false;
            var ack = new AppendAck
            {
                ReceivedOffset = received,
                DurableOffset = durable,
                StoredOffset = stored,
                RejectedCount = _rows.RejectedCount,
            };
            _rows.TakeErrors(ack.Errors, MaxErrorsAnAck);
            _responses.Write(new AppendResponse { Ack = ack });
            _acked = (received, durable, stored);
        }
    }

    // What the session may have on its way. Short of memory or disk it is less; of nothing at all it is nothing.
    private long CreditNow() => _pipeline.Admission.State switch
    {
        Pressure.Normal => _options.CreditBytes,
        Pressure.Soft => _options.CreditBytes / SoftCreditDivisor,
        _ => 0,
    };

    private async Task FlushAsync()
    {
        ValueTask flush = _responses.FlushAsync();
        if (flush.IsCompletedSuccessfully)
        {
            return;
        }

        Task flushed = flush.AsTask();
        try
        {
            await flushed.WaitAsync(_options.UnreadTimeout, _time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            Interlocked.CompareExchange(ref _ending, AppendErrors.Unread(_options.UnreadTimeout), null);
            _call.GiveUp();
            await flushed;
        }
    }
}
