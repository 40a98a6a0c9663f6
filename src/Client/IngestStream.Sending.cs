using Ingest.Client.Calls;
using Ingest.Protocol;

namespace Ingest.Client;

// The connection's side: one task sends, one waits for the answer.
public sealed partial class IngestStream<TRow>
{
    private async Task SendAsync()
    {
        var alive = true;
        while (await NextAsync().ConfigureAwait(false))
        {
            while (_outbox.Reader.TryRead(out var parcel))
            {
                alive = alive && await TrySendAsync(parcel).ConfigureAwait(false);
                if (parcel.Flushed is { } flushed)
                {
                    await SettleAsync(flushed, alive).ConfigureAwait(false);
                }
            }
            alive = alive && await _call.TryFlushAsync().ConfigureAwait(false);
        }
        if (alive && IsWhole())
        {
            _call.CompleteRequest();
        }
    }

    /// <summary>Whether all that is to come has come, so that the request may end well.</summary>
    private bool IsWhole()
    {
        lock (_gate)
        {
            return _completed && _fault is null;
        }
    }

    /// <summary>Waits for parcels; false when there will be none any more.</summary>
    private ValueTask<bool> NextAsync()
    {
        lock (_gate)
        {
            if (!_completed && _fault is null && _options.Linger == TimeSpan.Zero)
            {
                HandOver();
            }
            _senderIsIdle = !_outbox.Reader.TryPeek(out _);
        }
        return _outbox.Reader.WaitToReadAsync();
    }

    private async ValueTask<bool> TrySendAsync(Parcel parcel)
    {
        var slab = parcel.Slab;
        if (slab.IsEmpty)
        {
            return true;
        }
        var bytes = slab.Written.Length;
        var sent = await _call.TryWriteAsync(slab.Written).ConfigureAwait(false);
        if (sent)
        {
            // After a write that failed the transport may still hold the buffer: that one is left to the collector.
            slab.Return();
        }
        lock (_gate)
        {
            _bufferedBytes -= bytes;
            // Half empty, so that writers wake for many rows and not for each slab.
            if (_bufferedBytes <= _options.MaxBufferedBytes / 2)
            {
                _room?.TrySetResult();
                _room = null;
            }
        }
        return sent;
    }

    private async ValueTask SettleAsync(TaskCompletionSource flushed, bool alive)
    {
        if (alive && await _call.TryFlushAsync().ConfigureAwait(false))
        {
            flushed.TrySetResult();
            return;
        }
        await ((Task)_answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            flushed.TrySetException(Rethrown(_fault ?? AnsweredEarly()));
        }
    }

    private async Task<StreamResult> ReadAnswerAsync(StreamKind<TRow> kind)
    {
        try
        {
            var message = await _call.ReadSingleAsync().ConfigureAwait(false);
            var result = RpcCall.Parse(kind.ParseResult, message);
            lock (_gate)
            {
                if (!_completed)
                {
                    throw AnsweredEarly();
                }
            }
            return result;
        }
        catch (Exception exception)
        {
            Fail(exception);
            throw;
        }
    }

    /// <summary>Ends the stream: writers that wait, and all that come, are told.</summary>
    private void Fail(Exception exception)
    {
        lock (_gate)
        {
            _fault ??= exception;
            _outbox.Writer.TryComplete();
            _room?.TrySetResult();
            _room = null;
        }
    }

    private static RpcException AnsweredEarly() =>
        new(StatusCode.Internal, "The server answered before the stream was complete.");
}
