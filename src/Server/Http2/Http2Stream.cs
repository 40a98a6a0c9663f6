using System.Diagnostics.CodeAnalysis;

namespace Ingest.Server.Http2;

/// <summary>A request and its response: all that the application knows of them as features.</summary>
/// <remarks>
/// One object with two bodies; what few requests need is made when it is asked for. The connection's reading thread
/// calls the <c>On</c> methods, the application the features, on whatever thread it runs.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "A token source without a timer owns nothing.")]
internal abstract partial class Http2Stream
{
    private readonly RequestBody _requestBody;
    private readonly ResponseBody _responseBody;
    private readonly Lock _gate = new();
    private long? _contentLength;
    private long _received;
    private long _receiveWindow;
    private long _uncredited;
    private bool _isGone;

    protected Http2Stream(Http2Connection connection, int id)
    {
        Connection = connection;
        Id = id;
        _requestBody = new RequestBody(this);
        _responseBody = new ResponseBody(this);
        _receiveWindow = connection.Limits.Http2.InitialStreamWindowSize;
        _maxBodyBytes = connection.Limits.MaxRequestBodySize;
    }

    /// <summary>The connection.</summary>
    public Http2Connection Connection { get; }

    /// <summary>The stream's number.</summary>
    public int Id { get; }

    /// <summary>What it is to go on with, under the connection's lock of work.</summary>
    public StreamWork Work { get; set; }

    /// <summary>The next stream that is to go on.</summary>
    public Http2Stream? NextWork { get; set; }

    /// <summary>Whether the client has sent all.</summary>
    public bool IsRequestEnded => _requestBody.IsEnded;

    /// <summary>Whether nobody waits for the response: the client has left, or was told that it failed.</summary>
    protected bool IsGone => Volatile.Read(ref _isGone);

    /// <summary>Takes the request's fields.</summary>
    public void Begin(in RequestFields fields, int window, bool isEnd)
    {
        _responseBody.Window = window;
        _contentLength = fields.ContentLength;
        _canHaveBody = !isEnd;
        SetRequest(fields);
    }

    /// <summary>Goes on with what was scheduled. It does not throw.</summary>
    public void GoOn(StreamWork work)
    {
        if ((work & StreamWork.Abort) != 0)
        {
            CancelRequest();
        }

        if ((work & StreamWork.Start) != 0)
        {
            _ = RunAsync();
        }

        if ((work & StreamWork.Read) != 0)
        {
            _requestBody.GoOn();
        }

        if ((work & StreamWork.Flush) != 0)
        {
            _responseBody.GoOn();
        }
    }

    /// <summary>DATA has come: its length counts against the window, padding included.</summary>
    /// <returns>What is wrong with it.</returns>
    public Http2ErrorCode OnData(int length, int bodyBytes)
    {
        if (IsRequestEnded)
        {
            return Http2ErrorCode.StreamClosed;
        }

        if (Interlocked.Add(ref _receiveWindow, -length) < 0)
        {
            return Http2ErrorCode.FlowControlError;
        }

        _received += bodyBytes;
        return _contentLength is { } all && _received > all ? Http2ErrorCode.ProtocolError : Http2ErrorCode.NoError;
    }

    /// <summary>Takes bytes of the body.</summary>
    /// <returns>False when nobody will read them.</returns>
    public bool Receive(ReceiveBlock block, int start, int count) => _requestBody.Append(block, start, count);

    /// <summary>Throws when the body is larger than the application allows; it may change that until it reads.</summary>
    /// <exception cref="BadHttpRequestException">413.</exception>
    public void ThrowIfTooLarge(long bodyBytes)
    {
        if (Math.Max(bodyBytes, _contentLength ?? 0) > _maxBodyBytes)
        {
            throw new BadHttpRequestException("The request's body is too large.", StatusCodes.Status413PayloadTooLarge);
        }
    }

    /// <summary>The client has sent all.</summary>
    /// <returns>What is wrong with it.</returns>
    public Http2ErrorCode OnEnd()
    {
        if (_contentLength is { } all && all != _received)
        {
            return Http2ErrorCode.ProtocolError;
        }

        _requestBody.End();
        Interlocked.MemoryBarrier();
        if (_responseBody.IsClosed)
        {
            Connection.Remove(this);
        }

        return Http2ErrorCode.NoError;
    }

    /// <summary>Bytes were read: the client may send as many more.</summary>
    public void OnConsumed(long bytes)
    {
        Connection.Credit(bytes);
        if (_requestBody.IsEnded || Interlocked.Add(ref _uncredited, bytes) < Connection.Limits.Http2.InitialStreamWindowSize / 2)
        {
            return;
        }

        long credit = Interlocked.Exchange(ref _uncredited, 0);
        if (credit > 0 && !IsGone && !_responseBody.IsClosed)
        {
            Interlocked.Add(ref _receiveWindow, credit);
            Connection.Output.WriteWindowUpdate(Id, (int)credit);
            Connection.Output.Send();
        }
    }

    /// <summary>The client takes more of the response.</summary>
    /// <returns>False when that is more than a window can be.</returns>
    public bool AddWindow(long bytes) => Connection.Output.AddWindow(_responseBody, bytes);

    /// <summary>The client has reset the stream.</summary>
    public void OnReset() => OnGone(new IOException("The client reset the request stream."));

    /// <summary>The client is gone; nothing is said to it.</summary>
    public void OnGone(Exception reason) => GiveUp(reason, null);

    /// <summary>The client has broken the protocol on this stream, and is told.</summary>
    public void OnFault(Http2ErrorCode code) => GiveUp(new IOException($"The request stream was reset: {code}."), code);

    /// <summary>Whether the response has ended before the request.</summary>
    public bool IsEarly => _responseBody.IsClosed && !_requestBody.IsEnded && !IsGone;

    /// <summary>Whether the connection has seen it so before.</summary>
    public bool WasEarly { get; set; }

    /// <summary>All of the response is on its way. Called under the output's lock.</summary>
    public void OnSent()
    {
        // The response is closed before the request's end is looked for, and in OnEnd the other way round: one of the two
        // sees both.
        Interlocked.MemoryBarrier();
        if (_requestBody.IsEnded)
        {
            Connection.Remove(this);
        }
        else
        {
            Connection.OnEarly(this);
        }

        _completed?.TrySetResult();
    }

    /// <summary>Runs the application.</summary>
    protected abstract Task RunAsync();

    /// <summary>The application has ended: gives back what the stream holds.</summary>
    protected void End()
    {
        _requestBody.Complete();
        _responseBody.Discard();
        Connection.OnApplicationEnded();
    }

    private void GiveUp(Exception reason, Http2ErrorCode? code)
    {
        bool isFirst;
        lock (_gate)
        {
            isFirst = !_isGone;
            _isGone = true;
        }

        if (!isFirst)
        {
            return;
        }

        Connection.Output.Abandon(_responseBody, code);
        _requestBody.Fail(reason);
        _completed?.TrySetResult();
        Connection.Schedule(this, StreamWork.Abort);
    }
}
