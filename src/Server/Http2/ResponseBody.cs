using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace Ingest.Server.Http2;

/// <summary>The body of a response: what the application writes, until a flush hands it to the connection.</summary>
/// <remarks>
/// Hot: once a delivery to a subscriber. The writing side is the application's, one thread at a time; what is
/// flushed belongs to <see cref="Http2Output"/>, under its lock. A stream whose flush has ended holds no memory.
/// </remarks>
internal sealed class ResponseBody(Http2Stream stream) : PipeWriter, IValueTaskSource<FlushResult>
{
    private ManualResetValueTaskSourceCore<FlushResult> _flush;
    private SmallBlock? _first;
    private SmallBlock? _last;
    private int _unflushed;
    private int _flushState;
    private bool _isCanceled;

    /// <summary>The stream.</summary>
    public Http2Stream Stream => stream;

    /// <summary>What the client still takes of this stream. The rest is the output's, too, and under its lock.</summary>
    public long Window { get; set; }

    /// <summary>What is flushed and not framed yet.</summary>
    public SmallBlock? Pending { get; set; }

    /// <summary>The end of that list.</summary>
    public SmallBlock? PendingLast { get; set; }

    /// <summary>Bytes of it.</summary>
    public int PendingBytes { get; set; }

    /// <summary>Fields behind the body, encoded, while they wait for it to go out.</summary>
    public byte[]? Trailers { get; set; }

    /// <summary>Whether the application has written all.</summary>
    public bool IsEnding { get; set; }

    /// <summary>Whether nothing more is sent on this stream.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Whether it stands in line for the connection.</summary>
    public bool IsInLine { get; set; }

    /// <summary>The next one in line.</summary>
    public ResponseBody? NextInLine { get; set; }

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => true;

    /// <inheritdoc/>
    public override long UnflushedBytes => _unflushed;

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        SmallBlock block = _last is { } last && last.Room >= Math.Max(sizeHint, 1) ? last : AddBlock(sizeHint);
        return block.Array.AsMemory(block.End);
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        SmallBlock block = _last is { } last && last.Room >= Math.Max(sizeHint, 1) ? last : AddBlock(sizeHint);
        return block.Array.AsSpan(block.End);
    }

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes > 0)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _last?.Room ?? 0);
            _last!.End += bytes;
            _unflushed += bytes;
        }
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        stream.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override void CancelPendingFlush()
    {
        _isCanceled = true;
        EndFlush();
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        // The response ends with the request; an application that gives up says so by its exception.
        if (exception is not null)
        {
            stream.Abort();
        }
    }

    /// <summary>Hands the application's blocks over; for the output, under its lock.</summary>
    public int Attach(bool discards)
    {
        int count = _unflushed;
        if (count == 0 || discards)
        {
            Discard();
            return count;
        }

        if (PendingLast is null)
        {
            Pending = _first;
        }
        else
        {
            PendingLast.Next = _first;
        }

        PendingLast = _last;
        PendingBytes += count;
        _first = null;
        _last = null;
        _unflushed = 0;
        return count;
    }

    /// <summary>Gives back what was written and not flushed.</summary>
    public void Discard()
    {
        for (SmallBlock? block = _first; block is not null;)
        {
            SmallBlock? next = block.Next;
            block.Return();
            block = next;
        }

        _first = null;
        _last = null;
        _unflushed = 0;
    }

    /// <summary>Whether a flush was cancelled before it waited; it is not any more.</summary>
    public bool TakeCancellation()
    {
        bool canceled = _isCanceled;
        _isCanceled = false;
        return canceled;
    }

    /// <summary>Makes the flush under way wait; for the output, under its lock.</summary>
    public ValueTask<FlushResult> BeginFlush()
    {
        _flush.Reset();
        var wait = new ValueTask<FlushResult>(this, _flush.Version);
        Interlocked.Exchange(ref _flushState, (int)FlushState.Waiting);
        if (Volatile.Read(ref _isCanceled))
        {
            EndFlush();
        }

        return wait;
    }

    /// <summary>Ends a flush that waits; the application goes on elsewhere.</summary>
    public void EndFlush()
    {
        if (Interlocked.CompareExchange(ref _flushState, (int)FlushState.Ended, (int)FlushState.Waiting)
            == (int)FlushState.Waiting)
        {
            stream.Connection.Schedule(stream, StreamWork.Flush);
        }
    }

    /// <summary>Tells the application that its flush has ended.</summary>
    public void GoOn()
    {
        if (Interlocked.CompareExchange(ref _flushState, (int)FlushState.None, (int)FlushState.Ended)
            == (int)FlushState.Ended)
        {
            _flush.SetResult(new FlushResult(TakeCancellation(), IsClosed));
        }
    }

    /// <inheritdoc/>
    FlushResult IValueTaskSource<FlushResult>.GetResult(short token) => _flush.GetResult(token);

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _flush.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource<FlushResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _flush.OnCompleted(continuation, state, token, flags);

    private SmallBlock AddBlock(int bytes)
    {
        SmallBlock block = SmallBlock.Rent(bytes);
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
