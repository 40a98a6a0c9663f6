namespace Ingest.Server.Http2;

/// <content>Which streams there are, which there were, and what a client may do that costs it nothing.</content>
internal sealed partial class Http2Connection
{
    /// <summary>
    /// Frames in a second that ask for nothing: pings, settings, resets, refused requests, DATA without bytes. Clients
    /// that cancel all their calls at once are far below, floods (CVE-2019-9512 to 9518, CVE-2023-44487) above.
    /// </summary>
    private const int CheapFrames = 40_000;

    /// <summary>Seconds in which what a client has sent on a stream that we reset may still arrive.</summary>
    private const int ForgivenSeconds = 5;

    private const int MostForgiven = 50_000;

    private int _budget = CheapFrames;

    // Streams that we reset: in the last seconds, and in those before. Used by any thread, under the gate.
    private HashSet<int>? _forgiven;
    private HashSet<int>? _forgivenBefore;
    private int _forgivenSeconds;
    private volatile bool _hasEarly;
    private bool _isPinged;
    private long _pingedAt;
    private long _headersSince;

    /// <summary>Resets a stream that is not closed; what its client still sends on it is passed over.</summary>
    public void Reset(Http2Stream stream, Http2ErrorCode code)
    {
        lock (_gate)
        {
            if (!_streams.Remove(stream.Id))
            {
                return;
            }

            // Together: DATA that comes between would be for a stream that is closed and not forgiven.
            Forgive(stream.Id);
        }

        stream.OnFault(code);
        Output.Send();
        CloseWhenIdle();
    }

    /// <summary>
    /// A response has ended before its request. Most clients end that, too, when they read it; one that goes on, or does
    /// neither in a second, is told that what it sends is for nothing. NO_ERROR: the response stands (RFC 9113, 8.1).
    /// </summary>
    public void OnEarly(Http2Stream stream)
    {
        bool isDraining;
        lock (_gate)
        {
            isDraining = _isDraining;
            _hasEarly = true;
        }

        if (isDraining)
        {
            Dismiss(stream);
        }
    }

    private void Dismiss(Http2Stream stream)
    {
        Forgive(stream.Id);
        Output.WriteReset(stream.Id, Http2ErrorCode.NoError);
        Remove(stream);
    }

    // Those of the last second are left until the next look.
    private void DismissEarly(bool all)
    {
        if (!_hasEarly)
        {
            return;
        }

        _hasEarly = false;
        foreach (Http2Stream stream in Streams())
        {
            if (stream.IsEarly)
            {
                if (all || stream.WasEarly)
                {
                    Dismiss(stream);
                }
                else
                {
                    stream.WasEarly = true;
                    _hasEarly = true;
                }
            }
        }

        Output.SendNow();
    }

    /// <summary>What still comes for a stream that was reset is no fault of the client's.</summary>
    public void Forgive(int id)
    {
        lock (_gate)
        {
            _forgiven ??= [];
            if (_forgiven.Count < MostForgiven)
            {
                _forgiven.Add(id);
            }
        }
    }

    private bool IsForgiven(int id)
    {
        lock (_gate)
        {
            return _forgiven?.Contains(id) == true || _forgivenBefore?.Contains(id) == true;
        }
    }

    private Http2Stream? Find(int id)
    {
        lock (_gate)
        {
            return _streams.GetValueOrDefault(id);
        }
    }

    private Http2Stream[] Streams()
    {
        lock (_gate)
        {
            return [.. _streams.Values];
        }
    }

    private bool Spend() => Interlocked.Decrement(ref _budget) >= 0
        || Fail(Http2ErrorCode.EnhanceYourCalm, "the client sends frames that ask for nothing");

    // Once a second, on Kestrel's timer.
    private void Look()
    {
        long now = Environment.TickCount64;
        Volatile.Write(ref _budget, CheapFrames);
        lock (_gate)
        {
            if (_forgiven is not null || _forgivenBefore is not null)
            {
                if (++_forgivenSeconds >= ForgivenSeconds)
                {
                    _forgivenSeconds = 0;
                    _forgivenBefore = _forgiven;
                    _forgiven = null;
                }
            }
        }

        DismissEarly(all: false);
        LookForSilence(now);
        LookForHeaders(now);
    }

    // A client that is gone without a word does not answer a ping; one without calls is let go after a time.
    private void LookForSilence(long now)
    {
        double silent = now - Volatile.Read(ref _lastReceived);
        if (_isPinged)
        {
            if (now - _pingedAt >= _limits.Http2.KeepAlivePingTimeout.TotalMilliseconds
                && silent >= _limits.Http2.KeepAlivePingTimeout.TotalMilliseconds)
            {
                Abort(new IOException("The client does not answer a ping."));
            }
        }
        else if (silent >= _limits.Http2.KeepAlivePingDelay.TotalMilliseconds)
        {
            _pingedAt = now;
            _isPinged = true;
            Output.Write(FrameType.Ping, FrameFlags.None, 0, stackalloc byte[PingBytes]);
            Output.SendNow();
        }

        bool isIdle;
        lock (_gate)
        {
            isIdle = _streams.Count == 0 && Volatile.Read(ref _running) == 0
                && now - _lastActive >= _limits.KeepAliveTimeout.TotalMilliseconds;
        }

        if (isIdle)
        {
            Drain();
        }
    }

    // A client that begins, the connection or a block of fields, is to go on.
    private void LookForHeaders(long now)
    {
        if (Volatile.Read(ref _hasSettings) && Volatile.Read(ref _headersId) == 0)
        {
            _headersSince = now;
        }
        else if (_headersSince == 0)
        {
            _headersSince = now;
        }
        else if (now - _headersSince >= _limits.RequestHeadersTimeout.TotalMilliseconds)
        {
            Abort(new IOException("The client does not go on with what it began."));
        }
    }
}
