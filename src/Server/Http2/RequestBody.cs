using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace Ingest.Server.Http2;

/// <summary>The body of a request, as it comes.</summary>
/// <remarks>
/// Hot. The connection's reading thread appends, the request's own reads; they meet under a lock of this body. Large
/// pieces stay where the socket was read to and hold that block; small ones are copied, so that one byte that is not
/// read does not hold 64 KiB. A reader that waits holds nothing. What bounds it is the stream's window.
/// </remarks>
internal sealed partial class RequestBody(Http2Stream stream) : PipeReader, IValueTaskSource<ReadResult>
{
    /// <summary>What is copied rather than shared: a call that is slow holds 16 times what it is charged for at most.</summary>
    private const int SharedBytes = 4096;

    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<ReadResult> _wait;
    private BodySegment? _head;
    private BodySegment? _tail;

    // Places, counted from the body's beginning: what was read, what was looked at, and what has come.
    private long _consumed;
    private long _examined;
    private long _end;
    private Exception? _error;
    private bool _isEnded;
    private bool _isCompleted;
    private bool _isWaiting;
    private bool _isReady;
    private bool _isCanceled;

    private bool HasNews => _end > _examined || _isEnded || _isCanceled || _error is not null;

    /// <summary>Whether the client has sent all of it.</summary>
    public bool IsEnded => _isEnded;

    /// <summary>Whether the application has begun to read it.</summary>
    public bool IsBeingRead { get; private set; }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        lock (_gate)
        {
            if (!HasNews)
            {
                result = default;
                return false;
            }

            result = Take();
            return true;
        }
    }

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ValueTask<ReadResult> wait;
        lock (_gate)
        {
            IsBeingRead = true;
            if (HasNews)
            {
                return new ValueTask<ReadResult>(Take());
            }

            if (_isWaiting)
            {
                throw new InvalidOperationException("The body is read by two at once.");
            }

            _wait.Reset();
            _isWaiting = true;
            wait = new ValueTask<ReadResult>(this, _wait.Version);
        }

        return cancellationToken.CanBeCanceled ? WaitAsync(wait, cancellationToken) : wait;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        long taken;
        lock (_gate)
        {
            long place = PlaceOf(consumed);
            _examined = Math.Max(place, PlaceOf(examined));
            taken = ReleaseTo(place);
        }

        if (taken > 0)
        {
            stream.OnConsumed(taken);
        }
    }

    /// <inheritdoc/>
    public override void CancelPendingRead()
    {
        lock (_gate)
        {
            _isCanceled = true;
            Wake();
        }
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        long left;
        lock (_gate)
        {
            if (_isCompleted)
            {
                return;
            }

            _isCompleted = true;
            left = ReleaseTo(_end);
        }

        if (left > 0)
        {
            stream.OnConsumed(left);
        }
    }

    /// <summary>Takes bytes that have come.</summary>
    /// <returns>False when nobody will read them.</returns>
    public bool Append(ReceiveBlock block, int start, int count)
    {
        lock (_gate)
        {
            if (_isCompleted || _error is not null)
            {
                return false;
            }

            if (count >= SharedBytes)
            {
                Share(block, start, count);
            }
            else
            {
                Copy(block.Array.AsSpan(start, count));
            }

            _end += count;
            Wake();
            return true;
        }
    }

    /// <summary>The client has sent all.</summary>
    public void End()
    {
        lock (_gate)
        {
            _isEnded = true;
            Wake();
        }
    }

    /// <summary>Nothing more comes, and who reads is told why.</summary>
    public void Fail(Exception error)
    {
        lock (_gate)
        {
            if (_error is null && !_isEnded)
            {
                _error = error;
            }

            Wake();
        }
    }

    /// <summary>Has a read that waits go on, when there is something for it.</summary>
    public void GoOn()
    {
        ReadResult result = default;
        Exception? error = null;
        lock (_gate)
        {
            if (!_isReady)
            {
                return;
            }

            _isReady = false;
            _isWaiting = false;
            try
            {
                result = Take();
            }
            catch (Exception thrown)
            {
                error = thrown;
            }
        }

        if (error is null)
        {
            _wait.SetResult(result);
        }
        else
        {
            _wait.SetException(error);
        }
    }
}
