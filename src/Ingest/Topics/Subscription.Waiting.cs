using System.Threading.Tasks.Sources;

namespace Ingest.Topics;

/// <content>How a reader waits, and what wakes it.</content>
/// <remarks>
/// The subscription itself is the source of the awaited task, so to wait allocates nothing. Whoever takes the flag
/// from 1 to 0 has the wait completed: a publisher, the end, or the cancellation. The reader goes on on a thread of
/// <see cref="WokenReaders"/>.
/// </remarks>
public sealed partial class Subscription : IValueTaskSource<bool>
{
    private ManualResetValueTaskSourceCore<bool> _waiter;
    private CancellationTokenRegistration _cancellation;
    private CancellationToken _cancelledBy;
    private int _isWaiting;
    private bool _isCancelled;
    private bool _isInterrupted;

    /// <summary>
    /// Completes when there may be more to read: true; or when the subscription has ended: false, and
    /// <see cref="End"/> says why. What goes on then must not block its thread: other readers go on on it too.
    /// </summary>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<bool>(cancellationToken);
        }

        if (IsOver)
        {
            return ValueTask.FromResult(false);
        }

        if (FindStoreReader() is { } cursor)
        {
            return ReadStoreAsync(this, cursor, cancellationToken);
        }

        if (HasMore || TakeInterruption())
        {
            return ValueTask.FromResult(true);
        }

        _waiter.Reset();
        _isCancelled = false;
        Volatile.Write(ref _isWaiting, 1);

        // Looked at again with the flag up: a publisher first grows the topic, then looks at the flag.
        Interlocked.MemoryBarrier();
        if ((HasMore || IsOver || TakeInterruption()) && Interlocked.Exchange(ref _isWaiting, 0) == 1)
        {
            return ValueTask.FromResult(!IsOver);
        }

        if (cancellationToken.CanBeCanceled)
        {
            _cancelledBy = cancellationToken;
            _cancellation = cancellationToken.UnsafeRegister(static self => ((Subscription)self!).Cancel(), this);
        }

        return new ValueTask<bool>(this, _waiter.Version);
    }

    /// <summary>
    /// Ends the wait of the reader, or its next one: it has other things to do than to read. From any thread; the wait
    /// gives true.
    /// </summary>
    public void Interrupt()
    {
        Volatile.Write(ref _isInterrupted, true);

        // Seen by a reader that raises its flag now, or its flag is seen here.
        Interlocked.MemoryBarrier();
        Wake();
    }

    /// <summary>
    /// Ends the wait of a reader, if there is one. From any thread; the reader goes on on one of
    /// <see cref="WokenReaders"/>.
    /// </summary>
    internal void Wake()
    {
        if (Volatile.Read(ref _isWaiting) == 1 && Interlocked.Exchange(ref _isWaiting, 0) == 1)
        {
            _hub.Woken.Add(this);
        }
    }

    /// <summary>Completes the wait of a reader that was woken; for <see cref="WokenReaders"/>.</summary>
    internal void GoOn()
    {
        if (_isCancelled)
        {
            _waiter.SetException(new OperationCanceledException(_cancelledBy));
        }
        else
        {
            _waiter.SetResult(true);
        }
    }

    private bool TakeInterruption()
    {
        if (!Volatile.Read(ref _isInterrupted))
        {
            return false;
        }

        Volatile.Write(ref _isInterrupted, false);
        return true;
    }

    private bool HasMore
    {
        get
        {
            if (Volatile.Read(ref _arrivals) is not null || _pending is not null)
            {
                return true;
            }

            foreach (TopicCursor cursor in _cursors)
            {
                if (cursor.HasMore)
                {
                    return true;
                }
            }

            return false;
        }
    }

    // What a stopping server still holds can be read.
    private bool IsOver => End is SubscriptionEnd.TooSlow or SubscriptionEnd.Disposed
        || (End is SubscriptionEnd.HubStopped && (!HasMore || FindStoreReader() is not null));

    bool IValueTaskSource<bool>.GetResult(short token)
    {
        // Waits for a cancellation that runs this moment, so that it cannot meet the next wait.
        _cancellation.Dispose();
        _cancellation = default;
        return _waiter.GetResult(token) && !IsOver;
    }

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _waiter.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _waiter.OnCompleted(continuation, state, token, flags);

    private void Cancel()
    {
        if (Interlocked.Exchange(ref _isWaiting, 0) == 1)
        {
            _isCancelled = true;
            _hub.Woken.Add(this);
        }
    }
}
