namespace Ingest.Server.Http2;

/// <content>The loop that reads.</content>
internal sealed partial class Http2Connection
{
    /// <summary>Room that a receive is to have; with less, the rest of the block is left.</summary>
    private const int LeastRoom = 16 * 1024;

    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromSeconds(1);

    // What was received and is not parsed lies from _start to _end; of DATA nothing ever does.
    private ReceiveBlock? _block;
    private int _start;
    private int _end;
    private bool _isDrainedOnce;

    // A frame was against the rules, and nothing behind it is parsed. Not the thread's that found it: the connection
    // may be taken from that one while the calls go on that came before.
    private bool _isFaulted;
    private long _lastReceived;
    private long _lastActive = Environment.TickCount64;

    /// <summary>Another thread goes on with the connection: a call does not come back on the one that had it.</summary>
    public void TakeOver() => ThreadPool.UnsafeQueueUserWorkItem(
        static connection => _ = connection.ReadAsync(), this, preferLocal: false);

    private async Task ReadAsync()
    {
        Exception? broken = null;
        try
        {
            if (!RunTurn())
            {
                return;
            }

            while (!_isFaulted)
            {
                Task caughtUp = Output.CatchUpAsync();
                if (!caughtUp.IsCompleted)
                {
                    await caughtUp;
                }

                int count = Receive();
                if (count == Wire.Nothing)
                {
                    ReleaseWhenEmpty();
                    await _wire.WaitToReceiveAsync();
                    continue;
                }

                if (count == 0)
                {
                    break;
                }

                _end += count;
                _lastReceived = Environment.TickCount64;
                _isPinged = false;
                BeginParsing();
                _isFaulted = !ParseFrames();
                if (!RunTurn())
                {
                    return;
                }
            }

            if (_isFaulted)
            {
                await CloseAsync(_fault);
            }
        }
        catch (Exception error)
        {
            broken = error;
        }

        Finish(broken);
    }

    private int Receive()
    {
        if (_isDrainedOnce)
        {
            // The last receive did not fill its room: there is likely nothing, and waiting looks first.
            _isDrainedOnce = false;
            return Wire.Nothing;
        }

        MakeRoom();
        Span<byte> room = _block!.Array.AsSpan(_end);
        int count = _wire.TryReceive(room);
        _isDrainedOnce = count > 0 && count < room.Length;
        return count;
    }

    private void MakeRoom()
    {
        if (_block is null)
        {
            _block = ReceiveBlock.Rent();
            _start = 0;
            _end = 0;
            return;
        }

        int unparsed = _end - _start;
        if (!_block.IsShared)
        {
            if (_start > 0)
            {
                _block.Array.AsSpan(_start, unparsed).CopyTo(_block.Array);
                _start = 0;
                _end = unparsed;
            }
        }
        else if (ReceiveBlock.Bytes - _end < LeastRoom)
        {
            ReceiveBlock next = ReceiveBlock.Rent();
            _block.Array.AsSpan(_start, unparsed).CopyTo(next.Array);
            _block.Release();
            _block = next;
            _start = 0;
            _end = unparsed;
        }
    }

    private void ReleaseWhenEmpty()
    {
        if (_block is not null && _start == _end)
        {
            _block.Release();
            _block = null;
        }
    }

    private void Finish(Exception? broken)
    {
        if (broken is not null)
        {
            Abort(broken);
        }

        Output.Close();
        _wire.Shutdown();
        lock (_workGate)
        {
            // What broke may have broken amid the frames; the calls are to hear of it all the same.
            _isParsing = false;
        }

        AbortStreams(broken ?? new IOException("The client closed the connection."));
        _block?.Release();
        _block = null;
        _isRead = true;
        Interlocked.MemoryBarrier();
        EndWhenDone();
    }
}
