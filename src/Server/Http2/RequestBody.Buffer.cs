using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;

namespace Ingest.Server.Http2;

/// <content>What has come and is not read, and who waits for more; under the lock.</content>
internal sealed partial class RequestBody
{
    /// <inheritdoc/>
    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _wait.GetResult(token);

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _wait.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource<ReadResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> wait, CancellationToken cancellationToken)
    {
        await using (cancellationToken.UnsafeRegister(static body => ((RequestBody)body!).CancelPendingRead(), this))
        {
            ReadResult result = await wait;
            if (result.IsCanceled)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            return result;
        }
    }

    private ReadResult Take()
    {
        bool canceled = _isCanceled;
        _isCanceled = false;
        if (_isCompleted)
        {
            throw new InvalidOperationException("The body was completed by who reads it.");
        }

        if (_error is not null && !canceled)
        {
            ExceptionDispatchInfo.Throw(_error);
        }

        IsBeingRead = true;
        stream.ThrowIfTooLarge(_end);
        ReadOnlySequence<byte> bytes = _head is null
            ? ReadOnlySequence<byte>.Empty
            : new ReadOnlySequence<byte>(_head, (int)(_consumed - _head.RunningIndex), _tail!, _tail!.Length);
        return new ReadResult(bytes, canceled, _isEnded);
    }

    private void Share(ReceiveBlock block, int start, int count)
    {
        if (_tail is null || !_tail.TryExtend(block, start, count))
        {
            Link(BodySegment.Share(block, start, count, _tail, _end));
        }
    }

    private void Copy(ReadOnlySpan<byte> bytes)
    {
        long at = _end;
        while (true)
        {
            int count = _tail?.Append(bytes) ?? 0;
            bytes = bytes[count..];
            at += count;
            if (bytes.IsEmpty)
            {
                return;
            }

            Link(BodySegment.Make(_tail, at));
        }
    }

    private void Link(BodySegment segment)
    {
        _head ??= segment;
        _tail = segment;
    }

    // Under the lock: the thread that reads the connection, or one of the pool, has the reader go on.
    private void Wake()
    {
        if (_isWaiting && !_isReady && HasNews)
        {
            _isReady = true;
            stream.Connection.Schedule(stream, StreamWork.Read);
        }
    }

    private long PlaceOf(SequencePosition position) => position.GetObject() is BodySegment segment
        ? segment.RunningIndex + position.GetInteger()
        : _consumed;

    private long ReleaseTo(long place)
    {
        long taken = place - _consumed;
        _consumed = place;
        while (_head is not null && _head.EndIndex <= place)
        {
            BodySegment done = _head;
            _head = done.Following;
            if (_head is null)
            {
                _tail = null;
            }

            done.Release();
        }

        return taken;
    }
}
