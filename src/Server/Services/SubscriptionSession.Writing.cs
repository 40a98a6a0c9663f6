using System.Text;
using Google.Protobuf.WellKnownTypes;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Server.Services;

/// <content>The loop that writes.</content>
internal sealed partial class SubscriptionSession
{
    // Timestamps: when the flush under way began, 0 when there is none, and when the last one ended.
    private long _flushBegan;
    private long _lastWritten;
    private volatile bool _heartbeatDue;
    private volatile bool _unread;
    private bool _drainTold;

    // Nobody gives credit any more, or nobody moves the place that the subscription is named for. Who does neither may
    // end the requests right behind start, as clients that have nothing more to say do.
    private bool IsComplete => _requestsEnded && (_isNamed || !HasCredit);

    private bool HasCredit => _credited is null || Volatile.Read(ref _credit) > 0;

    /// <summary>Whether it wants <see cref="Remind"/>.</summary>
    /// <param name="now">A timestamp of the sessions' clock.</param>
    public bool IsDue(long now) => Volatile.Read(ref _flushBegan) is not 0 and var began
        ? !_unread && Elapsed(began, now) >= _sessions.Options.StallTimeout
        : !_heartbeatDue && Elapsed(Volatile.Read(ref _lastWritten), now) >= _sessions.Options.HeartbeatPeriod;

    /// <summary>Has a heartbeat sent, or ends a session that is not read; from any thread.</summary>
    /// <returns>Whether the session is ended.</returns>
    public bool Remind(long now)
    {
        if (Volatile.Read(ref _flushBegan) is not 0 and var began)
        {
            if (Elapsed(began, now) < _sessions.Options.StallTimeout)
            {
                return false;
            }

            _unread = true;
            _call.GiveUp();
            return true;
        }

        _heartbeatDue = true;
        Wake();
        return false;
    }

    private TimeSpan Elapsed(long from, long to) => _sessions.Time.GetElapsedTime(from, to);

    private async Task WriteAsync()
    {
        WriteStarted();
        while (true)
        {
            WriteTurn();
            long written = _responses.UnflushedBytes;
            if (written > 0)
            {
                ValueTask flush = _responses.FlushAsync();
                if (!flush.IsCompletedSuccessfully)
                {
                    BeginFlush(written);
                    try
                    {
                        await flush;
                    }
                    finally
                    {
                        EndFlush(written);
                    }
                }
            }

            ThrowIfOver();
            if (written > 0)
            {
                continue;
            }

            if (IsComplete)
            {
                return;
            }

            if (HasCredit)
            {
                if (!await _subscription.WaitToReadAsync(_call.CancellationToken))
                {
                    ThrowEnd();
                }
            }
            else
            {
                await _credited!.WaitAsync(_call.CancellationToken);
            }
        }
    }

    private void BeginFlush(long bytes)
    {
        _sessions.AddUnread(bytes);
        Volatile.Write(ref _flushBegan, _sessions.Time.GetTimestamp());
    }

    private void EndFlush(long bytes)
    {
        Volatile.Write(ref _lastWritten, _sessions.Time.GetTimestamp());
        Volatile.Write(ref _flushBegan, 0);
        _sessions.AddUnread(-bytes);
    }

    // Hot: once a delivery. Nothing is allocated an update.
    private void WriteTurn()
    {
        if (_sessions.Stage != DrainStage.None && !_drainTold)
        {
            WriteDraining();
        }

        long credit = _credited is null ? long.MaxValue : Volatile.Read(ref _credit);
        long left = credit;
        int turnBytes = _sessions.TurnBytes;
        while (left > 0 && _responses.UnflushedBytes < turnBytes && _subscription.TryRead(out SubscriptionItem item))
        {
            if (item.Update is { } update)
            {
                UpdateMessage.Write(_responses, update.Message.Span, _subscription.ResumeToken);
                left--;
            }
            else if (item.Gap is { } gap)
            {
                WriteGap(gap);
            }
        }

        if (_credited is not null && left != credit)
        {
            Interlocked.Add(ref _credit, left - credit);
        }

        if (_heartbeatDue)
        {
            _heartbeatDue = false;
            if (_responses.UnflushedBytes == 0)
            {
                WriteHeartbeat();
            }
        }
    }

    private void WriteStarted()
    {
        var started = new SubscribeStarted { ResumeToken = Token() };
        started.Positions.Add(_subscription.Positions);
        _responses.Write(new SubscribeResponse { Started = started });
    }

    private void WriteGap(Gap gap)
    {
        gap.ResumeToken = Token();
        _responses.Write(new SubscribeResponse { Gap = gap });
    }

    private void WriteHeartbeat() => _responses.Write(new SubscribeResponse
    {
        Heartbeat = new Heartbeat
        {
            At = Timestamp.FromDateTimeOffset(_sessions.Time.GetUtcNow()),
            ResumeToken = Token(),
        },
    });

    private void WriteDraining()
    {
        _drainTold = true;
        _responses.Write(new SubscribeResponse
        {
            Draining = new SubscribeDraining
            {
                After = Duration.FromTimeSpan(_sessions.Options.DrainDelay),
                ResumeToken = Token(),
            },
        });
    }

    private string Token() => Encoding.UTF8.GetString(_subscription.ResumeToken);

    private void ThrowIfOver()
    {
        _call.CancellationToken.ThrowIfCancellationRequested();
        if (_fault is { } fault)
        {
            throw fault;
        }

        if (_sessions.Stage == DrainStage.Over)
        {
            throw SubscribeErrors.ShuttingDown(Token());
        }
    }

    private void ThrowEnd() => throw (_subscription.End == SubscriptionEnd.TooSlow
        ? SubscribeErrors.TooSlow(Token())
        : SubscribeErrors.ShuttingDown(Token()));
}
