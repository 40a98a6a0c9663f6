using System.Runtime.ExceptionServices;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Admission;
using Ingest.Decoding;
using Ingest.Protocol;
using Ingest.Schema;
using Ingest.Server.Grpc;
using Ingest.V1;

namespace Ingest.Server.Services;

/// <summary>A session of a producer: one loop takes rows, another answers.</summary>
/// <remarks>
/// The two loops run side by side and meet in the watermarks of <see cref="ProducerStream"/>, the credit, and a queue
/// of refusals of fixed length. One flush of responses is under way at a time, so acks come as often as the client takes
/// them and what waits to be told does not grow: watermarks are numbers, and rejected rows hold up the reader.
/// </remarks>
internal sealed partial class AppendSession
{
    /// <summary>Bytes beyond the credit, in credits, after which a sender is ended.</summary>
    private const int OverdraftLimit = 4;

    /// <summary>Rejected rows that wait to be told, at which the reader waits.</summary>
    private const int MaxWaitingErrors = 10_000;

    private readonly IngestPipeline _pipeline;
    private readonly ProducerStream _rows;
    private readonly AppendDecoder _decoder;
    private readonly bool _isKnown;
    private readonly ByteString _fingerprint;
    private readonly AsyncSignal _signal;
    private readonly RequestStream _requests;
    private readonly CallContext _call;
    private readonly AppendOptions _options;
    private readonly AckLevel _level;
    private readonly SessionCredit _credit;
    private TableSchema? _knownFor;
    private long _request;
    private long _overdraft;
    private bool _refusing;
    private volatile bool _readingEnded;
    private volatile bool _requestsEnded;
    private volatile RpcException? _ending;

    public AppendSession(
        IngestPipeline pipeline, ProducerStream rows, AppendDecoder decoder, AppendOpen open, bool isKnown,
        AsyncSignal signal, RequestStream requests, ResponseStream responses, CallContext call, AppendOptions options, TimeProvider time)
    {
        _pipeline = pipeline;
        _rows = rows;
        _decoder = decoder;
        _isKnown = isKnown;
        _fingerprint = open.SchemaFingerprint;
        _signal = signal;
        _requests = requests;
        _responses = responses;
        _call = call;
        _options = options;
        _time = time;
        _level = open.AckLevel == AckLevel.Unspecified ? AckLevel.Durable : open.AckLevel;
        _credit = new SessionCredit(
            options.CreditBytes, Math.Max(CreditNow(), options.CreditBytes / SoftCreditDivisor));
        _acked = (rows.ReceivedOffset, rows.DurableOffset, rows.StoredOffset);
    }

    /// <summary>Runs until the client half-closes and all is acknowledged, or throws what ends the call.</summary>
    public async Task RunAsync()
    {
        using CancellationTokenRegistration onDrain = _call.Draining.Register(_signal.Set);
        Task writing = WriteAsync();
        Exception? fault = null;
        try
        {
            await ReadAsync();
            _requestsEnded = true;
        }
        catch (Exception error)
        {
            fault = error;
        }

        _readingEnded = true;
        _signal.Set();
        try
        {
            await writing;
        }
        catch (Exception error)
        {
            fault = fault is null or OperationCanceledException ? error : fault;
        }

        fault = _ending ?? fault;
        if (fault is RpcException known)
        {
            AppendErrors.WithAccepted(known, _rows.AcceptedCount);
        }

        if (fault is not null)
        {
            ExceptionDispatchInfo.Throw(fault);
        }
    }

    private async Task ReadAsync()
    {
        while (_ending is null && await _requests.WaitToReadAsync())
        {
            while (MustWaitForWriter && _ending is null && !_writingEnded)
            {
                _signal.Set();
                await _written.WaitAsync(_call.CancellationToken);
            }

            await _rows.BeginTurnAsync(_call.CancellationToken);
            TakeTurn();

            if (_level == AckLevel.Received)
            {
                _signal.Set();
            }
        }
    }

    private void TakeTurn()
    {
        try
        {
            while (_ending is null && _rows.TurnGoesOn && !HasManyRefusals
                && _requests.TryRead(out ReadOnlySpan<byte> request))
            {
                _request++;
                Take(request);
            }
        }
        finally
        {
            _rows.EndTurn();
            _credit.HandOver();
            if (_rows.DurableOffset >= _rows.ReceivedOffset)
            {
                // The rows were faster than this note of their bytes: nothing else would wake the other loop.
                _signal.Set();
            }
        }
    }

    private void Take(ReadOnlySpan<byte> request)
    {
        if (!_decoder.TryRead(request))
        {
            throw AppendErrors.Malformed(_request);
        }

        if (_decoder.Kind != AppendRequest.RequestOneofCase.Rows)
        {
            throw _decoder.Kind == AppendRequest.RequestOneofCase.Open
                ? AppendErrors.OpenedTwice(_request)
                : AppendErrors.Empty(_request);
        }

        if (_decoder.Offset < 0)
        {
            throw AppendErrors.NegativeOffset(_request, _decoder.Offset);
        }

        bool isCredited = _credit.TryUse(request.Length);
        CountOverdraft(isCredited ? -request.Length : request.Length);

        // Before the credit: what can never be sent is not to be kept until there is more of it.
        if (request.Length > _options.MaxRequestBytes)
        {
            Refuse(
                request.Length, RefusalReason.TooLarge,
                $"the request has {request.Length} bytes; the limit is {_options.MaxRequestBytes}");
        }
        else if (!isCredited)
        {
            Refuse(request.Length, RefusalReason.Credit, "the request exceeds the credit");
        }
        else if (_rows.Refusal is var shortage and not RefusalReason.Unspecified)
        {
            _pipeline.Metrics.OnRefused(shortage);
            Refuse(request.Length, shortage, AppendErrors.RefusalText(shortage), _rows.NextRetryDelay());
        }
        else if (WrongForm() is { } text)
        {
            Refuse(request.Length, RefusalReason.Schema, text);
        }
        else
        {
            Append(request);
        }
    }

    private void Append(ReadOnlySpan<byte> request)
    {
        switch (_rows.Append(_decoder, request))
        {
            case AppendOutcome.Appended:
                _refusing = false;
                _credit.Hold(_rows.ReceivedOffset, request.Length);
                break;
            case AppendOutcome.Duplicate:
                _refusing = false;
                _credit.GiveBack(request.Length);
                Interlocked.Exchange(ref _acksAgain, true);
                _signal.Set();
                break;
            case AppendOutcome.Gap:
                Refuse(request.Length, RefusalReason.Gap, GapText());
                break;
            case AppendOutcome.TooManyRows:
                Refuse(
                    request.Length, RefusalReason.TooLarge,
                    $"the request has more rows than a request may have, {_rows.Table.MaxRequestRows}");
                break;
            default:
                throw _rows.RequestFault is { } fault
                    ? AppendErrors.Unfit(_request, fault)
                    : AppendErrors.Malformed(_request);
        }
    }

    private string GapText() => _isKnown || _rows.ReceivedOffset > 0
        ? $"offset {_decoder.Offset} is above the end; {_rows.ReceivedOffset} is next"
        : $"producer '{_rows.ProducerId}' is not known here, or has expired: its rows begin at offset 0";

    // Told once: what follows falls under the same refusal until the offset fits.
    private void Refuse(int requestBytes, RefusalReason reason, string text, TimeSpan? retryAfter = null)
    {
        _rows.CountRefused(requestBytes);
        _credit.GiveBack(requestBytes);
        bool isNamed = _rows.ProducerId.Length > 0;
        if (!_refusing || !isNamed || _decoder.Offset <= _rows.ReceivedOffset)
        {
            _refusing = true;
            AddRefusal(new AppendRefusal
            {
                Offset = _decoder.Offset,
                ExpectedOffset = isNamed ? _rows.ReceivedOffset : 0,
                Reason = reason,
                Message = text,
                RetryAfter = retryAfter is { } delay ? Duration.FromTimeSpan(delay) : null,
            });
        }

        _signal.Set();
    }

    // What keeps to the credit pays back what did not. Refusals hold the reader up until they are told, and credit comes
    // back meanwhile, so a sender that ignores it has a request that fits now and then.
    private void CountOverdraft(int requestBytes)
    {
        _overdraft = Math.Max(0, _overdraft + requestBytes);
        if (_overdraft > OverdraftLimit * _options.CreditBytes)
        {
            throw AppendErrors.CreditIgnored();
        }
    }

    // Asked once for each version of the table: one that is put in force later may be the sender's.
    private string? SchemaFault()
    {
        TableSchema schema = _rows.Table.Schema;
        if (_knownFor == schema)
        {
            return null;
        }

        if (!schema.Knows(_fingerprint.Span))
        {
            return _fingerprint.IsEmpty
                ? "serialized rows need the schema_fingerprint in open"
                : "schema_fingerprint is not that of the table's descriptor here, nor of an earlier one";
        }

        _knownFor = schema;
        return null;
    }

    // Null when the request's rows are of the session's table, as it is here.
    private string? WrongForm()
    {
        string table = _decoder.Form switch
        {
            AppendRows.RowsOneofCase.GpsPoints or AppendRows.RowsOneofCase.GpsPointColumns => "gps_points",
            AppendRows.RowsOneofCase.Events or AppendRows.RowsOneofCase.EventColumns => "events",
            AppendRows.RowsOneofCase.MetricSamples => "metric_samples",
            AppendRows.RowsOneofCase.Orders => "orders",
            _ => _rows.Table.Schema.Name,
        };
        if (table != _rows.Table.Schema.Name)
        {
            return $"the rows are of table {table}; the session's is {_rows.Table.Schema.Name}";
        }

        return _decoder.Form == AppendRows.RowsOneofCase.Serialized ? SchemaFault() : null;
    }
}
