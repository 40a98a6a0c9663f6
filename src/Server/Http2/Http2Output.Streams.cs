using System.IO.Pipelines;

namespace Ingest.Server.Http2;

/// <content>Responses: their frames, the client's windows, and whose turn it is.</content>
internal sealed partial class Http2Output
{
    // Small frames leave room for other streams, and larger ones would not be cheaper.
    private const int MaxFrame = FrameHeader.DefaultMaxLength;

    private long _window = FrameHeader.DefaultWindow;
    private bool _isTableEmptied;

    // Streams with something to send that wait for the connection: in turn, a frame each.
    private ResponseBody? _firstInLine;
    private ResponseBody? _lastInLine;

    private bool HasRoom => _queued < MostQueued && !_isStalled;

    /// <summary>The client has made its table of fields smaller: the next block says that we use none.</summary>
    public void EmptyTable()
    {
        lock (_gate)
        {
            _isTableEmptied = true;
        }
    }

    /// <summary>Writes the fields before a body, or instead of one.</summary>
    public void WriteHeaders(ResponseBody body, ReadOnlySpan<byte> block, bool isEnd)
    {
        lock (_gate)
        {
            if (body.IsClosed)
            {
                return;
            }

            AppendHeaders(body.Stream.Id, block, isEnd);
            if (isEnd)
            {
                End(body);
            }
        }
    }

    /// <summary>Frames what the application has written, sends it, and waits while the client does not take it.</summary>
    public ValueTask<FlushResult> FlushAsync(ResponseBody body, bool discards)
    {
        bool isBehind;
        lock (_gate)
        {
            if (body.IsClosed || _isClosed)
            {
                body.Discard();
                return new ValueTask<FlushResult>(new FlushResult(body.TakeCancellation(), isCompleted: true));
            }

            body.Attach(discards);
            Advance(body);
            isBehind = body.PendingBytes > 0 || _queued > MostDeferred;
        }

        if (isBehind)
        {
            SendNow();
        }
        else
        {
            Send();
        }

        lock (_gate)
        {
            if ((body.PendingBytes == 0 && !_isStalled) || body.IsClosed || _isClosed)
            {
                return new ValueTask<FlushResult>(new FlushResult(body.TakeCancellation(), body.IsClosed || _isClosed));
            }

            if (body.PendingBytes == 0)
            {
                StandInLine(body);
            }

            return body.BeginFlush();
        }
    }

    /// <summary>The application has written all: sends what is left and then the end.</summary>
    /// <param name="body">The response.</param>
    /// <param name="trailers">Fields behind the body, encoded; may be none.</param>
    /// <param name="discards">Whether what was written is not to be sent.</param>
    public void Complete(ResponseBody body, ReadOnlySpan<byte> trailers, bool discards)
    {
        lock (_gate)
        {
            if (body.IsClosed || _isClosed)
            {
                body.Discard();
                return;
            }

            body.Attach(discards);
            body.IsEnding = true;
            body.Trailers = trailers.IsEmpty ? null : trailers.ToArray();
            Advance(body);
        }

        Send();
    }

    /// <summary>Sends nothing more of a response: the client has left, or the stream is reset.</summary>
    /// <param name="body">The response.</param>
    /// <param name="code">What the client is told; null when it knows.</param>
    public void Abandon(ResponseBody body, Http2ErrorCode? code)
    {
        lock (_gate)
        {
            body.IsClosed = true;
            Drop(body);
        }

        if (code is { } known)
        {
            WriteReset(body.Stream.Id, known);
        }

        body.EndFlush();
    }

    /// <summary>The client takes more of a stream.</summary>
    /// <returns>False when that is more than a window can be.</returns>
    public bool AddWindow(ResponseBody body, long bytes)
    {
        lock (_gate)
        {
            body.Window += bytes;
            if (body.Window > int.MaxValue)
            {
                return false;
            }

            if (body.PendingBytes > 0)
            {
                StandInLine(body);
                ServeLine();
            }
        }

        return true;
    }

    /// <summary>The client takes more on the connection.</summary>
    /// <returns>False when that is more than a window can be.</returns>
    public bool AddWindow(long bytes)
    {
        lock (_gate)
        {
            _window += bytes;
            if (_window > int.MaxValue)
            {
                return false;
            }

            ServeLine();
        }

        return true;
    }

    // All that follows is under the lock.
    private void AppendHeaders(int streamId, ReadOnlySpan<byte> block, bool isEnd)
    {
        FrameFlags flags = isEnd ? FrameFlags.EndStream : FrameFlags.None;
        var type = FrameType.Headers;
        int prefix = _isTableEmptied ? 1 : 0;
        while (prefix + block.Length > MaxFrame)
        {
            int count = MaxFrame - prefix;
            AppendPart(type, flags, streamId, block[..count], prefix);
            block = block[count..];
            (type, flags, prefix) = (FrameType.Continuation, FrameFlags.None, 0);
        }

        AppendPart(type, flags | FrameFlags.EndHeaders, streamId, block, prefix);
        _isTableEmptied = false;
    }

    private void AppendPart(FrameType type, FrameFlags flags, int streamId, ReadOnlySpan<byte> block, int prefix)
    {
        if (_isClosed)
        {
            return;
        }

        new FrameHeader(prefix + block.Length, type, flags, streamId).Write(Room(FrameHeader.Bytes));
        if (prefix > 0)
        {
            Room(prefix)[0] = Hpack.HpackEncoder.NoTable;
        }

        Append(block);
    }

    // Writes frames of one stream, or has it stand in line.
    private void Advance(ResponseBody body)
    {
        if (body.IsInLine)
        {
            return;
        }

        if (_firstInLine is not null && body.PendingBytes > 0)
        {
            StandInLine(body);
            return;
        }

        while (body.PendingBytes > 0)
        {
            if (!HasRoom || _window <= 0)
            {
                StandInLine(body);
                return;
            }

            if (body.Window <= 0)
            {
                return;
            }

            AppendData(body);
        }

        EndWhenSent(body);
    }

    // Streams in line, a frame each, as long as there is room for any.
    private void ServeLine()
    {
        while (_firstInLine is { } body && HasRoom)
        {
            if (body.PendingBytes > 0 && _window <= 0)
            {
                return;
            }

            LeaveLine();
            if (body.PendingBytes > 0 && body.Window > 0)
            {
                AppendData(body);
            }

            if (body.PendingBytes > 0)
            {
                if (body.Window > 0)
                {
                    StandInLine(body);
                }
            }
            else
            {
                EndWhenSent(body);
                body.EndFlush();
            }
        }
    }

    private void EndWhenSent(ResponseBody body)
    {
        if (!body.IsEnding || body.IsClosed)
        {
            return;
        }

        if (body.Trailers is { } trailers)
        {
            AppendHeaders(body.Stream.Id, trailers, isEnd: true);
            body.Trailers = null;
        }
        else
        {
            AppendFrame(FrameType.Data, FrameFlags.EndStream, body.Stream.Id, default);
        }

        End(body);
    }

    private static void End(ResponseBody body)
    {
        body.IsClosed = true;
        body.Stream.OnSent();
    }

    private void AppendData(ResponseBody body)
    {
        int count = (int)Math.Min(Math.Min(body.PendingBytes, MaxFrame), Math.Min(body.Window, _window));
        bool isEnd = body.IsEnding && body.Trailers is null && count == body.PendingBytes;
        FrameFlags flags = isEnd ? FrameFlags.EndStream : FrameFlags.None;
        new FrameHeader(count, FrameType.Data, flags, body.Stream.Id).Write(Room(FrameHeader.Bytes));
        body.Window -= count;
        _window -= count;
        body.PendingBytes -= count;
        while (count > 0)
        {
            SmallBlock block = body.Pending!;
            Span<byte> part = block.Contents;
            part = part[..Math.Min(part.Length, count)];
            Append(part);
            block.Start += part.Length;
            count -= part.Length;
            if (block.Start == block.End)
            {
                body.Pending = block.Next;
                block.Return();
            }
        }

        if (body.PendingBytes == 0)
        {
            DropBlocks(body);
        }

        if (isEnd)
        {
            End(body);
        }
    }

    private void StandInLine(ResponseBody body)
    {
        if (body.IsInLine)
        {
            return;
        }

        body.IsInLine = true;
        body.NextInLine = null;
        if (_lastInLine is null)
        {
            _firstInLine = body;
        }
        else
        {
            _lastInLine.NextInLine = body;
        }

        _lastInLine = body;
    }

    private void LeaveLine()
    {
        ResponseBody body = _firstInLine!;
        _firstInLine = body.NextInLine;
        if (_firstInLine is null)
        {
            _lastInLine = null;
        }

        body.NextInLine = null;
        body.IsInLine = false;
    }

    private void ClearLine()
    {
        while (_firstInLine is not null)
        {
            LeaveLine();
        }
    }

    // One that stands in line is passed over when its turn comes: it has nothing left.
    private static void Drop(ResponseBody body)
    {
        body.PendingBytes = 0;
        body.Trailers = null;
        DropBlocks(body);
    }

    private static void DropBlocks(ResponseBody body)
    {
        while (body.Pending is { } block)
        {
            body.Pending = block.Next;
            block.Return();
        }

        body.PendingLast = null;
    }
}
