using System.Globalization;
using System.Text;
using Google.Protobuf;
using Ingest.Protocol;
using Microsoft.AspNetCore.Http.Features;

namespace Ingest.Server.Grpc;

/// <content>Cancellation and the end of a call.</content>
public sealed partial class CallContext
{
    /// <summary>RST_STREAM with CANCEL, of RFC 9113.</summary>
    private const int Http2Cancel = 8;

    /// <summary>Longest time that timers take.</summary>
    private static readonly TimeSpan MaxTimer = TimeSpan.FromDays(40);

    /// <summary>How long a client that does not read may keep a cancelled call's status from going out.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(3);

    private readonly WebTextBody? _webText;
    private CancellationTokenRegistration _onAbort;
    private CancellationTokenRegistration _onGraceOver;
    private ITimer? _deadlineTimer;

    /// <summary>Reads deadline and encoding and starts to watch what can cancel the call.</summary>
    /// <returns>The status that refuses the call, or null when it may run.</returns>
    internal CallStatus? Begin(TimeProvider time, CancellationToken graceOver)
    {
        if (RequestEncoding is not (MessageCompression.Identity or MessageCompression.Gzip))
        {
            return GrpcErrors.UnknownEncoding(RequestEncoding);
        }

        _onAbort = _http.RequestAborted.UnsafeRegister(
            static call => ((CallContext)call!).Cancel(CancelReason.Client), this);
        _onGraceOver = graceOver.UnsafeRegister(
            static call => ((CallContext)call!).Cancel(CancelReason.Draining), this);

        if (_http.Request.Headers[GrpcHeaders.Timeout].ToString() is not { Length: > 0 } text)
        {
            return null;
        }

        if (!GrpcTimeout.TryParse(text, out var timeout))
        {
            return GrpcErrors.MalformedTimeout(text);
        }

        var now = time.GetUtcNow();
        Deadline = timeout < DateTimeOffset.MaxValue - now ? now + timeout : DateTimeOffset.MaxValue;
        if (timeout == TimeSpan.Zero)
        {
            return GrpcErrors.DeadlineExceeded();
        }

        if (timeout < MaxTimer)
        {
            _deadlineTimer = time.CreateTimer(static call => ((CallContext)call!).Cancel(CancelReason.Deadline), this,
                timeout, Timeout.InfiniteTimeSpan);
        }

        return null;
    }

    /// <summary>Ends the call with a status.</summary>
    internal async Task EndAsync(CallStatus status, TimeProvider time)
    {
        try
        {
            Requests.End();
            Responses.Commit();
            Responses.PublishCount();
            if (_webText is not null)
            {
                await _webText.DisposeAsync();
            }

            // Who has left hears no status; Kestrel has reset the stream.
            if (!_http.RequestAborted.IsCancellationRequested)
            {
                WriteStatus(status);
                await CompleteAsync(time);
                if (Reason == CancelReason.Service)
                {
                    // A client that takes nothing takes no status either: Kestrel would keep it, and the stream, until it
                    // reads. It has had its time to begin.
                    await Task.Delay(EndTimeout, time);
                    ResetStream();
                }
            }
        }
        finally
        {
            // A deadline that is still watched would cancel the reads of the next call on the same stream.
            Detach();
        }
    }

    private async Task CompleteAsync(TimeProvider time)
    {
        var complete = _http.Response.CompleteAsync();
        try
        {
            await complete.WaitAsync(CancellationToken);
        }
        catch (OperationCanceledException)
        {
            try
            {
                await complete.WaitAsync(EndTimeout, time);
            }
            catch (TimeoutException)
            {
                ResetStream();
            }
        }
    }

    private void ResetStream()
    {
        if (_http.Features.Get<IHttpResetFeature>() is { } reset)
        {
            reset.Reset(Http2Cancel);
        }
        else
        {
            _http.Abort();
        }
    }

    /// <summary>
    /// Gives the call up, for a client that does not take its responses: a read or flush that waits is woken, and what
    /// cannot be sent is not waited for. The service then throws the status.
    /// </summary>
    internal void GiveUp() => Cancel(CancelReason.Service);

    /// <summary>Cancels the call; the first reason counts. A read or flush that waits is woken.</summary>
    private void Cancel(CancelReason reason)
    {
        lock (_gate)
        {
            if (_ended || _reason != CancelReason.None)
            {
                return;
            }

            _reason = reason;
        }

        try
        {
            _cancellation.Cancel();
        }
        catch (AggregateException error)
        {
            var loggers = _http.RequestServices.GetRequiredService<ILoggerFactory>();
            LogMessages.CancellationFailed(loggers.CreateLogger<CallContext>(), error, Method);
        }

        lock (_gate)
        {
            // The pipes belong to the next call once this one has ended.
            if (!_ended)
            {
                Requests.Interrupt();
                _http.Response.BodyWriter.CancelPendingFlush();
            }
        }
    }

    private void Detach()
    {
        lock (_gate)
        {
            _ended = true;
        }

        _onAbort.Unregister();
        _onGraceOver.Unregister();
        _deadlineTimer?.Dispose();
    }

    private void WriteStatus(CallStatus status)
    {
        if (_format != WireFormat.Grpc)
        {
            WriteWebStatus(status);
            return;
        }

        // Trailers-Only: one header block carries the status when there is nothing else to send.
        if (!_headersWritten && status.Code != StatusCode.Ok && _responseHeaders is not { Count: > 0 })
        {
            _headersWritten = true;
            WriteTransportHeaders();
            AppendStatus(status, _http.Response.Headers);
            return;
        }

        if (!_headersWritten)
        {
            WriteHeaders();
        }

        AppendStatus(status, _http.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers);
    }

    private void WriteWebStatus(CallStatus status)
    {
        if (!_headersWritten)
        {
            WriteHeaders();
        }

        var trailers = new HeaderDictionary();
        AppendStatus(status, trailers);
        var text = new StringBuilder();
        foreach (var (name, values) in trailers)
        {
            foreach (var value in values)
            {
                text.Append(name).Append(": ").Append(value).Append("\r\n");
            }
        }

        Responses.WriteWebTrailers(Encoding.ASCII.GetBytes(text.ToString()));
    }

    private void AppendStatus(CallStatus status, IHeaderDictionary target)
    {
        target[GrpcHeaders.Status] = ((int)status.Code).ToString(CultureInfo.InvariantCulture);
        if (status.Detail.Length > 0)
        {
            target[GrpcHeaders.Message] = PercentEncoding.Encode(status.Detail);
        }

        if (status.Details is { } details)
        {
            target[GrpcHeaders.StatusDetails] = Metadata.EncodeBinary(details.ToByteArray());
        }

        Append(_responseTrailers, target);
        if (status.Trailers is { } trailers)
        {
            Append(trailers, target);
        }
    }
}
