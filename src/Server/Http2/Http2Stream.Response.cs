using System.IO.Pipelines;
using Ingest.Server.Http2.Hpack;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Ingest.Server.Http2;

/// <content>The response.</content>
internal abstract partial class Http2Stream : IHttpResponseFeature, IHttpResponseBodyFeature, IHttpResponseTrailersFeature,
    IHttpResetFeature
{
    private IHeaderDictionary _responseHeaders = new Http2Headers();
    private IHeaderDictionary? _responseTrailers;
    private Stream? _responseStream;
    private List<(Func<object, Task> Callback, object State)>? _onStarting;
    private List<(Func<object, Task> Callback, object State)>? _onCompleted;
    private TaskCompletionSource? _completed;
    private int _status = StatusCodes.Status200OK;
    private long _written;
    private bool _isCompleting;

    /// <inheritdoc/>
    public bool HasStarted { get; private set; }

    /// <inheritdoc/>
    public int StatusCode
    {
        get => _status;
        set
        {
            if (HasStarted)
            {
                throw new InvalidOperationException("The response has begun.");
            }

            _status = value;
        }
    }

    /// <inheritdoc/>
    public string? ReasonPhrase { get; set; }

    IHeaderDictionary IHttpResponseFeature.Headers
    {
        get => _responseHeaders;
        set => _responseHeaders = value;
    }

    Stream IHttpResponseFeature.Body
    {
        get => ((IHttpResponseBodyFeature)this).Stream;
        set => _responseStream = value;
    }

    Stream IHttpResponseBodyFeature.Stream => _responseStream ??= _responseBody.AsStream(leaveOpen: true);

    PipeWriter IHttpResponseBodyFeature.Writer => _responseBody;

    IHeaderDictionary IHttpResponseTrailersFeature.Trailers
    {
        get => _responseTrailers ??= new Http2Headers();
        set => _responseTrailers = value;
    }

    // RFC 9110: what has no body, whatever the application writes.
    private bool DiscardsBody => HttpMethods.IsHead(Method)
        || _status is < 200 or StatusCodes.Status204NoContent or StatusCodes.Status304NotModified;

    /// <inheritdoc/>
    public void OnStarting(Func<object, Task> callback, object state)
    {
        if (HasStarted)
        {
            throw new InvalidOperationException("The response has begun.");
        }

        (_onStarting ??= []).Add((callback, state));
    }

    /// <inheritdoc/>
    public void OnCompleted(Func<object, Task> callback, object state) => (_onCompleted ??= []).Add((callback, state));

    void IHttpResetFeature.Reset(int errorCode) => Connection.Reset(this, (Http2ErrorCode)errorCode);

    void IHttpResponseBodyFeature.DisableBuffering()
    {
        // Nothing is buffered but what is not flushed.
    }

    Task IHttpResponseBodyFeature.SendFileAsync(
        string path, long offset, long? count, CancellationToken cancellationToken) =>
        SendFileFallback.SendFileAsync(((IHttpResponseBodyFeature)this).Stream, path, offset, count, cancellationToken);

    Task IHttpResponseBodyFeature.StartAsync(CancellationToken cancellationToken)
    {
        ValueTask<FlushResult> flush = FlushAsync(cancellationToken);
        return flush.IsCompletedSuccessfully ? Task.CompletedTask : flush.AsTask();
    }

    Task IHttpResponseBodyFeature.CompleteAsync() => CompleteAsync();

    /// <summary>Sends what the application has written, fields first.</summary>
    public ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        }

        if (!HasStarted && _onStarting is not null)
        {
            return StartAndFlushAsync(cancellationToken);
        }

        if (!HasStarted && !IsGone)
        {
            Start(isEnd: false);
        }

        _written += _responseBody.UnflushedBytes;
        ValueTask<FlushResult> flush = Connection.Output.FlushAsync(_responseBody, DiscardsBody);
        if (!flush.IsCompletedSuccessfully)
        {
            return cancellationToken.CanBeCanceled ? WaitAsync(flush, cancellationToken) : flush;
        }

        FlushResult result = flush.Result;
        if (result.IsCompleted)
        {
            CancelWriter();
        }

        return new ValueTask<FlushResult>(result);
    }

    // Who writes on for nobody, without ever waiting, is told by its own thread: writers like it may have taken all
    // others of the pool, which makes no more while they keep the cores busy.
    private void CancelWriter()
    {
        if (Connection.Output.IsClosed)
        {
            OnGone(new IOException("The connection broke."));
        }

        if (IsGone)
        {
            CancelRequest();
        }
    }

    /// <summary>Sends all that is left and ends the response; waits while the client does not take it.</summary>
    protected Task CompleteAsync()
    {
        if (_isCompleting || IsGone)
        {
            return _completed?.Task ?? Task.CompletedTask;
        }

        return !HasStarted && _onStarting is not null ? StartAndCompleteAsync() : CompleteCore();
    }

    private Task CompleteCore()
    {
        _isCompleting = true;
        bool hasBody = _responseBody.UnflushedBytes > 0 && !DiscardsBody;
        bool hasTrailers = _responseTrailers is { Count: > 0 };
        if (!HasStarted)
        {
            bool isAll = !hasBody && !hasTrailers;
            Start(isAll);
            if (isAll)
            {
                _responseBody.Discard();
                Connection.Output.Send();
                return Task.CompletedTask;
            }
        }

        _written += _responseBody.UnflushedBytes;
        if (_responseHeaders.ContentLength is { } length && length != _written && !DiscardsBody)
        {
            Connection.Reset(this, Http2ErrorCode.InternalError);
            throw new InvalidOperationException($"The response has {_written} bytes, its content-length is {length}.");
        }

        TaskCompletionSource completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _completed = completed;
        Connection.Output.Complete(
            _responseBody, hasTrailers ? HeaderBlock.Encode(null, _responseTrailers!) : default, DiscardsBody);
        if (IsGone)
        {
            completed.TrySetResult();
        }

        return completed.Task;
    }

    /// <summary>Calls what the application wants called before the first byte.</summary>
    protected async Task FireOnStartingAsync()
    {
        List<(Func<object, Task> Callback, object State)>? callbacks = _onStarting;
        _onStarting = null;
        for (int i = (callbacks?.Count ?? 0) - 1; i >= 0; i--)
        {
            await callbacks![i].Callback(callbacks[i].State);
        }
    }

    /// <summary>Calls what the application wants called when the response has ended.</summary>
    protected async Task FireOnCompletedAsync()
    {
        for (int i = (_onCompleted?.Count ?? 0) - 1; i >= 0; i--)
        {
            try
            {
                await _onCompleted![i].Callback(_onCompleted[i].State);
            }
            catch (Exception error)
            {
                LogMessages.RequestFailed(Connection.Logger, error, Method, Path);
            }
        }
    }

    /// <summary>The application has failed, or the request is malformed: says so, if anything can still be said.</summary>
    protected void Fail(int status)
    {
        if (HasStarted)
        {
            Connection.Reset(this, Http2ErrorCode.InternalError);
            return;
        }

        _responseBody.Discard();
        _onStarting = null;
        _responseHeaders = new Http2Headers();
        _responseTrailers = null;
        _status = status;
    }

    private void Start(bool isEnd)
    {
        HasStarted = true;
        if (_responseHeaders is Http2Headers own)
        {
            own.IsReadOnly = true;
        }

        Connection.Output.WriteHeaders(_responseBody, HeaderBlock.Encode(_status, _responseHeaders), isEnd);
    }

    private async ValueTask<FlushResult> StartAndFlushAsync(CancellationToken cancellationToken)
    {
        await FireOnStartingAsync();
        return await FlushAsync(cancellationToken);
    }

    private async Task StartAndCompleteAsync()
    {
        await FireOnStartingAsync();
        await CompleteAsync();
    }

    private async ValueTask<FlushResult> WaitAsync(ValueTask<FlushResult> flush, CancellationToken cancellationToken)
    {
        await using (cancellationToken.UnsafeRegister(
            static body => ((ResponseBody)body!).CancelPendingFlush(), _responseBody))
        {
            FlushResult result = await flush;
            cancellationToken.ThrowIfCancellationRequested();
            return result;
        }
    }
}
