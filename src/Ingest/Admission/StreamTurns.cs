using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using Ingest.Log;
using Ingest.V1;

namespace Ingest.Admission;

/// <summary>
/// When a stream may decode: it takes a turn of its sender, decodes up to <see cref="AdmissionOptions.TurnBytes"/>, and
/// gives it back.
/// </summary>
/// <remarks>
/// Used by the stream's thread, one call at a time; <see cref="Release"/> by any. A turn costs a few atomic operations
/// however many messages it has, a message a comparison; nothing is allocated but for pauses. Who waits for a turn is
/// queued behind what the thread pool has already, never before it, so that senders come in turn.
/// </remarks>
internal sealed class StreamTurns : IValueTaskSource, IThreadPoolWorkItem
{
    private const int Idle = 0;
    private const int Waiting = 1;
    private const int Granted = 2;
    private const int Abandoned = 3;

    private readonly AdmissionControl _control;
    private readonly SenderShare _share;
    private readonly SenderBytes _held;
    private readonly Lane _lane;
    private readonly Lane _deadLetters;
    private ManualResetValueTaskSourceCore<bool> _turn;
    private int _state;
    private int _left;
    private long _heldOfTurn;
    private bool _usedUp;
    private bool _hasTurn;

    public StreamTurns(AdmissionControl control, SenderShare share, Lane lane, Lane deadLetters)
    {
        _control = control;
        _share = share;
        _held = share.Held(lane.Table.Name);
        _lane = lane;
        _deadLetters = deadLetters;
    }

    /// <summary>Its sender's share.</summary>
    internal SenderShare Share => _share;

    /// <summary>Whether the turn goes on: there is something left of it, and room for rows.</summary>
    public bool GoesOn => _left > 0 && HasRoom;

    /// <summary>Why rows of this stream are refused now; unspecified when they are not.</summary>
    public RefusalReason Refusal => _control.RefusalOf(_share);

    /// <summary>How long its sender is asked to wait when it is refused.</summary>
    public TimeSpan NextRetryDelay() => _control.NextRetryDelay(_share);

    private bool IsRefused => Refusal != RefusalReason.Unspecified;

    private bool HasRoom => _lane.HasRoomFor(_held.Value) && _deadLetters.HasRoom;

    /// <summary>Takes a turn; completes when there is one, and room for rows.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public ValueTask BeginAsync(CancellationToken cancellationToken)
    {
        Debug.Assert(!_hasTurn, "a stream has one turn at a time");
        if (_usedUp || _control.IsSlowing || !HasRoom)
        {
            return BeginSlowAsync(cancellationToken);
        }

        if (!_share.TryTake())
        {
            return WaitInLineAsync(cancellationToken);
        }

        Start();
        return default;
    }

    /// <summary>Counts a request that was decoded in this turn.</summary>
    /// <param name="requestBytes">Its length.</param>
    /// <param name="isHeld">Whether rows of it are on their way; <see cref="Release"/> follows.</param>
    public void Count(int requestBytes, bool isHeld)
    {
        _left -= requestBytes;
        _heldOfTurn += isHeld ? requestBytes : 0;
    }

    /// <summary>Gives the turn back, if there is one.</summary>
    public void End()
    {
        if (!_hasTurn)
        {
            return;
        }

        _hasTurn = false;
        _usedUp = _left <= 0;
        if (_heldOfTurn > 0)
        {
            _held.Add(_heldOfTurn);
            _heldOfTurn = 0;
        }

        _share.Return(_control.TurnBytes - _left);
        _control.LookAtLog();
    }

    /// <summary>Bytes of requests are durable, or never will be.</summary>
    public void Release(long requestBytes) => _held.Add(-requestBytes);

    /// <summary>The stream has ended.</summary>
    public void Close()
    {
        End();
        _control.Leave(_share);
    }

    /// <summary>Gives a turn to this stream, which stands in line for one.</summary>
    /// <returns>False when it does not want one any more.</returns>
    internal bool TryGrant()
    {
        if (Interlocked.CompareExchange(ref _state, Granted, Waiting) != Waiting)
        {
            return false;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return true;
    }

    void IThreadPoolWorkItem.Execute() => _turn.SetResult(true);

    void IValueTaskSource.GetResult(short token) => _turn.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _turn.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _turn.OnCompleted(continuation, state, token, flags);

    private void Start()
    {
        _state = Idle;
        _hasTurn = true;
        _usedUp = false;
        _left = _control.TurnBytes;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask BeginSlowAsync(CancellationToken cancellationToken)
    {
        if (_usedUp)
        {
            // Behind what others have ready: their turn.
            _usedUp = false;
            await Queued();
        }

        while (true)
        {
            while (!HasRoom && !IsRefused)
            {
                await WaitForRoomAsync(cancellationToken).ConfigureAwait(false);
            }

            if (_share.TryTake())
            {
                Start();
            }
            else
            {
                await WaitInLineAsync(cancellationToken).ConfigureAwait(false);
            }

            await PauseAsync(cancellationToken).ConfigureAwait(false);
            if (HasRoom || IsRefused)
            {
                return;
            }

            End();
        }
    }

    private ValueTask WaitForRoomAsync(CancellationToken cancellationToken) => _deadLetters.HasRoom
        ? _lane.WaitForRoomAsync(_held.Value, cancellationToken)
        : _deadLetters.WaitForRoomAsync(cancellationToken);

    private async ValueTask PauseAsync(CancellationToken cancellationToken)
    {
        TimeSpan pause = _control.PauseOf(_share);
        if (pause <= TimeSpan.Zero)
        {
            return;
        }

        try
        {
            await Task.Delay(pause, _control.Time, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            End();
            throw;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WaitInLineAsync(CancellationToken cancellationToken)
    {
        _turn.Reset();
        Volatile.Write(ref _state, Waiting);
        var turn = new ValueTask(this, _turn.Version);
        _share.Wait(this);
        using (cancellationToken.UnsafeRegister(static stream => ((StreamTurns)stream!).Abandon(), this))
        {
            await turn.ConfigureAwait(false);
        }

        if (_state == Abandoned)
        {
            // Still in line: whoever finds it there passes the turn on, so this object must not wait again.
            throw new OperationCanceledException("The call ended while it waited for its turn.", cancellationToken);
        }

        Start();
    }

    private void Abandon()
    {
        if (Interlocked.CompareExchange(ref _state, Abandoned, Waiting) == Waiting)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private ValueTask Queued()
    {
        _turn.Reset();
        Volatile.Write(ref _state, Granted);
        var queued = new ValueTask(this, _turn.Version);
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return queued;
    }
}
