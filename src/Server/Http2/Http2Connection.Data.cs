namespace Ingest.Server.Http2;

/// <content>DATA, and how much more of it the client may send.</content>
internal sealed partial class Http2Connection
{
    // The DATA that is being taken: whose it is, null when nobody wants it, and what of it is still to come.
    private Http2Stream? _dataStream;
    private int _dataLeft;
    private int _paddingLeft;
    private bool _dataEnds;

    // What the client may still send, and what was read since it was told last.
    private long _receiveWindow;
    private long _uncredited;

    /// <summary>Bytes of the connection's window are free again: they were read, or nobody will read them.</summary>
    public void Credit(long bytes)
    {
        if (Interlocked.Add(ref _uncredited, bytes) < _limits.Http2.InitialConnectionWindowSize / 2)
        {
            return;
        }

        long credit = Interlocked.Exchange(ref _uncredited, 0);
        if (credit > 0)
        {
            Interlocked.Add(ref _receiveWindow, credit);
            Output.WriteWindowUpdate(0, (int)credit);
            Output.Send();
        }
    }

    // paddingBytes is what the frame says, or -1: it has no padding.
    private bool OnData(FrameHeader header, int paddingBytes)
    {
        int before = paddingBytes < 0 ? 0 : 1;
        int padding = Math.Max(paddingBytes, 0);
        if (header.StreamId == 0)
        {
            return Fail(Http2ErrorCode.ProtocolError, "DATA is for no stream");
        }

        if (before + padding > header.Length)
        {
            return Fail(Http2ErrorCode.ProtocolError, "DATA has more padding than bytes");
        }

        if (header.StreamId > _lastStreamId || (header.StreamId & 1) == 0)
        {
            return Fail(Http2ErrorCode.ProtocolError, "DATA is for a stream that there is not yet");
        }

        if (Interlocked.Add(ref _receiveWindow, -header.Length) < 0)
        {
            return Fail(Http2ErrorCode.FlowControlError, "DATA is more than the connection's window");
        }

        Http2Stream? stream = Find(header.StreamId);
        if (stream is null && !IsForgiven(header.StreamId))
        {
            return Fail(Http2ErrorCode.StreamClosed, "DATA is for a stream that was closed");
        }

        if (stream is not null)
        {
            Http2ErrorCode code = stream.OnData(header.Length, header.Length - before - padding);
            if (code != Http2ErrorCode.NoError)
            {
                if (!Fault(stream, code))
                {
                    return false;
                }

                stream = null;
            }
            else if (stream.IsEarly && !header.Flags.HasFlag(FrameFlags.EndStream))
            {
                Dismiss(stream);
                stream = null;
            }
        }

        _start += before;
        _dataStream = stream;
        _dataLeft = header.Length - before - padding;
        _paddingLeft = padding;
        _dataEnds = header.Flags.HasFlag(FrameFlags.EndStream);
        if (stream is null)
        {
            Credit(before);
        }
        else
        {
            stream.OnConsumed(before);
        }

        if (_dataLeft == 0 && _paddingLeft == 0)
        {
            EndData();
        }

        // A frame without bytes costs the client next to nothing.
        return header.Length > 0 || _dataEnds || Spend();
    }

    private void TakeData()
    {
        int count = Math.Min(_dataLeft, _end - _start);
        if (count > 0)
        {
            if (_dataStream is null || !_dataStream.Receive(_block!, _start, count))
            {
                Credit(count);
            }

            _start += count;
            _dataLeft -= count;
        }

        count = Math.Min(_paddingLeft, _end - _start);
        if (_dataLeft == 0 && count > 0)
        {
            if (_dataStream is null)
            {
                Credit(count);
            }
            else
            {
                _dataStream.OnConsumed(count);
            }

            _start += count;
            _paddingLeft -= count;
        }

        if (_dataLeft == 0 && _paddingLeft == 0)
        {
            EndData();
        }
    }

    private void EndData()
    {
        if (_dataEnds && _dataStream is { } stream)
        {
            EndRequest(stream);
        }

        _dataStream = null;
    }

    // The client has sent all of a request.
    private void EndRequest(Http2Stream stream)
    {
        Http2ErrorCode code = stream.OnEnd();
        if (code != Http2ErrorCode.NoError)
        {
            Reset(stream, code);
        }
    }
}
