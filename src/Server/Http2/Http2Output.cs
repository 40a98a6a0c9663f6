using System.Buffers.Binary;

namespace Ingest.Server.Http2;

/// <summary>What goes out on a connection: the frames of all its streams, and whose turn it is.</summary>
/// <remarks>
/// <para>Hot. Any thread writes frames, under one lock; the thread that finds nobody sending sends, there and then, and
/// with its own frames those that others write meanwhile. So a delivery that the kernel takes costs no other thread, and
/// many streams' deliveries that come together cost one system call.</para>
/// <para>What bounds it: at most <see cref="MostQueued"/> bytes of bodies wait here, and none while the kernel takes
/// nothing; the rest waits with its stream, whose flush does not end. Streams take turns, a frame each. All else comes
/// of what the client sends: fields of responses, resets, acknowledgements. With <see cref="MostUntaken"/> bytes waiting
/// nothing more is read from it; should the answers to what was read already be more than
/// <see cref="MostAnswerBytes"/>, the connection ends.</para>
/// </remarks>
internal sealed partial class Http2Output(Wire wire, Http2Connection connection)
{
    /// <summary>Bytes of bodies that wait to be sent.</summary>
    private const int MostQueued = 32 * 1024;

    /// <summary>Bytes that a thread which serves many calls at once lets gather before it sends.</summary>
    private const int MostDeferred = 16 * 1024;

    /// <summary>Bytes that a client may leave untaken while more is read from it.</summary>
    private const int MostUntaken = 128 * 1024;

    private const int MostAnswerBytes = 256 * 1024;

    private readonly Lock _gate = new();
    private SmallBlock? _first;
    private SmallBlock? _last;
    private int _queued;
    private int _answerBytes;
    private bool _isSending;
    private bool _isStalled;
    private bool _isClosed;
    private TaskCompletionSource? _drained;
    private TaskCompletionSource? _caughtUp;

    /// <summary>Whether nothing more is sent.</summary>
    public bool IsClosed => Volatile.Read(ref _isClosed);

    /// <summary>Writes a frame of the connection's own, or of a stream that has no body.</summary>
    public void Write(FrameType type, FrameFlags flags, int streamId, ReadOnlySpan<byte> payload)
    {
        bool isFlooded;
        lock (_gate)
        {
            AppendFrame(type, flags, streamId, payload);
            _answerBytes += FrameHeader.Bytes + payload.Length;
            isFlooded = _answerBytes > MostAnswerBytes;
        }

        if (isFlooded)
        {
            connection.Abort(new IOException("The client takes none of the answers that it asks for."));
        }
    }

    /// <summary>Lets the client send more on a stream, or on the connection (0).</summary>
    public void WriteWindowUpdate(int streamId, int bytes)
    {
        Span<byte> payload = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(payload, (uint)bytes);
        Write(FrameType.WindowUpdate, FrameFlags.None, streamId, payload);
    }

    /// <summary>Writes GOAWAY.</summary>
    public void WriteGoAway(int lastStreamId, Http2ErrorCode code)
    {
        Span<byte> payload = stackalloc byte[2 * sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(payload, (uint)lastStreamId);
        BinaryPrimitives.WriteUInt32BigEndian(payload[sizeof(uint)..], (uint)code);
        Write(FrameType.GoAway, FrameFlags.None, 0, payload);
    }

    /// <summary>Writes a response without a body to a request that became no stream.</summary>
    public void WriteAnswer(int streamId, ReadOnlySpan<byte> block)
    {
        lock (_gate)
        {
            AppendHeaders(streamId, block, isEnd: true);
        }
    }

    /// <summary>Writes RST_STREAM for a stream that has no body, or none any more.</summary>
    public void WriteReset(int streamId, Http2ErrorCode code)
    {
        Span<byte> payload = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(payload, (uint)code);
        Write(FrameType.ResetStream, FrameFlags.None, streamId, payload);
    }

    /// <summary>
    /// Sends what there is, unless somebody does already, or this thread is about to write more: then it sends when
    /// its turn ends.
    /// </summary>
    public void Send()
    {
        if (!ReadingTurn.Holds(connection))
        {
            SendNow();
        }
    }

    /// <summary>Sends what there is, unless somebody does already.</summary>
    public void SendNow()
    {
        Memory<byte> next;
        lock (_gate)
        {
            if (_isSending || _isClosed || _first is null)
            {
                return;
            }

            _isSending = true;
            next = _first.Array.AsMemory(_first.Start, _first.End - _first.Start);
        }

        try
        {
            do
            {
                ValueTask<int> send = wire.SendAsync(next);
                if (!send.IsCompletedSuccessfully)
                {
                    _ = SendSlowlyAsync(send);
                    return;
                }

                next = OnSent(send.Result);
            }
            while (!next.IsEmpty);
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    /// <summary>Waits until all that was written is sent; for who closes the connection.</summary>
    public Task DrainAsync()
    {
        SendNow();
        lock (_gate)
        {
            if (_first is null || _isClosed)
            {
                return Task.CompletedTask;
            }

            _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _drained.Task;
        }
    }

    /// <summary>Waits while the client leaves more untaken than it may; for who reads from it.</summary>
    public Task CatchUpAsync()
    {
        lock (_gate)
        {
            if (_queued <= MostUntaken || _isClosed)
            {
                return Task.CompletedTask;
            }

            _caughtUp ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _caughtUp.Task;
        }
    }

    /// <summary>Nothing more is sent: gives everything back.</summary>
    public void Close()
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            _drained?.TrySetResult();
            LetReadOn();
            ClearLine();

            // Who sends gives the blocks back.
            if (!_isSending)
            {
                ReturnBlocks();
            }
        }
    }

    private async Task SendSlowlyAsync(ValueTask<int> send)
    {
        try
        {
            while (true)
            {
                if (!send.IsCompleted)
                {
                    lock (_gate)
                    {
                        _isStalled = true;
                    }
                }

                ReadOnlyMemory<byte> next = OnSent(await send);
                if (next.IsEmpty)
                {
                    return;
                }

                send = wire.SendAsync(next);
            }
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    private Memory<byte> OnSent(int count)
    {
        lock (_gate)
        {
            _isStalled = false;
            _queued -= count;

            // On a connection that always has something to send, too, answers that are sent count no more.
            _answerBytes = Math.Min(_answerBytes, _queued);
            SmallBlock block = _first!;
            block.Start += count;
            if (block.Start == block.End)
            {
                _first = block.Next;
                _last = _first is null ? null : _last;
                block.Return();
            }

            if (_isClosed)
            {
                ReturnBlocks();
            }
            else
            {
                ServeLine();
            }

            if (_queued <= MostUntaken / 2)
            {
                LetReadOn();
            }

            if (_first is null)
            {
                _isSending = false;
                _drained?.TrySetResult();
                return default;
            }

            return _first.Array.AsMemory(_first.Start, _first.End - _first.Start);
        }
    }

    private void Fail(Exception error)
    {
        lock (_gate)
        {
            _isSending = false;
            _isClosed = true;
            _drained?.TrySetResult();
            LetReadOn();
            ClearLine();
            ReturnBlocks();
        }

        connection.Abort(error);
    }

    private void LetReadOn()
    {
        _caughtUp?.TrySetResult();
        _caughtUp = null;
    }

    private void ReturnBlocks()
    {
        while (_first is { } block)
        {
            _first = block.Next;
            block.Return();
        }

        _last = null;
        _queued = 0;
    }

    private void AppendFrame(FrameType type, FrameFlags flags, int streamId, ReadOnlySpan<byte> payload)
    {
        if (_isClosed)
        {
            return;
        }

        new FrameHeader(payload.Length, type, flags, streamId).Write(Room(FrameHeader.Bytes));
        Append(payload);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            SmallBlock block = _last is { Room: > 0 } last ? last : AddBlock();
            int count = Math.Min(block.Room, bytes.Length);
            bytes[..count].CopyTo(block.Array.AsSpan(block.End));
            block.End += count;
            _queued += count;
            bytes = bytes[count..];
        }
    }

    private Span<byte> Room(int bytes)
    {
        SmallBlock block = _last is { } last && last.Room >= bytes ? last : AddBlock();
        Span<byte> room = block.Array.AsSpan(block.End, bytes);
        block.End += bytes;
        _queued += bytes;
        return room;
    }

    private SmallBlock AddBlock()
    {
        SmallBlock block = SmallBlock.Rent();
        if (_last is null)
        {
            _first = block;
        }
        else
        {
            _last.Next = block;
        }

        _last = block;
        return block;
    }
}
