using System.Collections.Concurrent;

namespace Ingest.Log;

/// <content>Sessions of producers: opened, fenced, closed; and producers that expire.</content>
public sealed partial class Lane
{
    // A look at all producers takes tens of milliseconds when there are a million of them.
    private static readonly TimeSpan s_forgetInterval = TimeSpan.FromSeconds(10);

    // Bounded by the sessions that wait for an answer, the sessions that end, and the segments that wait for the store.
    private readonly ConcurrentQueue<OpenRequest> _openRequests = new();
    private readonly ConcurrentQueue<ProducerSession> _closedSessions = new();
    private readonly ConcurrentQueue<ulong> _releases = new();
    private long _lastForgot;

    /// <summary>
    /// Makes a session the current one of its producer. Answered when everything that was given back before has been
    /// written; rows of the producer's earlier sessions that come later are dropped.
    /// </summary>
    /// <exception cref="IOException">The session's number could not be made durable.</exception>
    /// <exception cref="ObjectDisposedException">The log has stopped.</exception>
    public Task<ProducerOpening> OpenProducerAsync(ProducerSession session)
    {
        var request = new OpenRequest(
            session, new TaskCompletionSource<ProducerOpening>(TaskCreationOptions.RunContinuationsAsynchronously));
        Leave(_openRequests, request);
        if (_stopped)
        {
            RefuseOpenRequests();
        }

        return request.Answer.Task;
    }

    /// <summary>Lets go of a session; rows of it that were not written yet may be dropped.</summary>
    public void CloseProducer(ProducerSession session) => Leave(_closedSessions, session);

    /// <summary>The store has a segment, or it was set aside.</summary>
    internal void OnReleased(ulong segmentId) => Leave(_releases, segmentId);

    private void Leave<T>(ConcurrentQueue<T> queue, T request)
    {
        queue.Enqueue(request);
        Interlocked.MemoryBarrier();
        Wake(urgent: true);
    }

    private void TakeClosedSessions()
    {
        while (_closedSessions.TryDequeue(out var session))
        {
            if (session.State is not { } producer || producer.Session != session)
            {
                continue;
            }

            producer.Session = null;
            if (producer is { Id.Length: > 0, Epoch: 0 } && IsWithoutRows(producer))
            {
                _producers.Forget(producer);
            }
        }
    }

    private void AnswerOpenRequests(int count)
    {
        if (count == 0)
        {
            return;
        }

        var answers = new List<(OpenRequest Request, ProducerOpening Opening)>(count);
        Exception? failure = null;
        try
        {
            while (count-- > 0 && _openRequests.TryDequeue(out var request))
            {
                answers.Add((request, default));
                answers[^1] = (request, OpenProducer(request.Session));
            }

            // Also one that was raised before and could not be saved then.
            if (_producers.HasUnsavedEpochs)
            {
                _producerFile.Save(_producers);
            }
        }
        catch (Exception e) when (DiskFault.Is(e))
        {
            LogMessages.ProducersNotSaved(_logger, _producerFile.Path, _unpublished.Count, e);
            failure = e;
        }

        foreach (var (request, opening) in answers)
        {
            if (failure is null)
            {
                request.Answer.TrySetResult(opening);
            }
            else
            {
                request.Answer.TrySetException(new IOException("the producer could not be saved", failure));
            }
        }
    }

    private ProducerOpening OpenProducer(ProducerSession session)
    {
        if (session.ProducerId.Length == 0)
        {
            session.State = new ProducerState("") { Session = session };
            return new ProducerOpening(ProducerOpenResult.Opened, 0, 0, IsKnown: false, session.Epoch);
        }

        if (_producers.TryGet(session.ProducerId, out var producer) && HasExpired(producer))
        {
            _producerFile.SaveExpired([producer], _producers);
            _producers.Expire(producer.Id, producer.LastSegmentId);
            producer = null;
        }

        var isKnown = producer is not null && (producer.LastSegmentId > 0 || producer.Offsets.End > 0);
        if (producer is null && _producers.Count >= _options.MaxProducers && !TryForgetProducers())
        {
            return new ProducerOpening(ProducerOpenResult.TooManyProducers, 0, 0, isKnown, 0);
        }

        producer ??= _producers.GetOrAdd(session.ProducerId);
        if (session.Epoch < producer.Epoch)
        {
            return new ProducerOpening(ProducerOpenResult.OlderEpoch, 0, 0, isKnown, producer.Epoch);
        }

        if (session.Epoch > producer.Epoch)
        {
            _producers.RaiseEpoch(producer, session.Epoch, _log.NowSeconds);
        }

        var other = producer.Session;
        (producer.Session, session.State) = (session, producer);
        TellFenced(other, session.Epoch);
        return new ProducerOpening(
            ProducerOpenResult.Opened, producer.Offsets.End, producer.StoredOffset, isKnown, session.Epoch);
    }

    private void TellFenced(ProducerSession? session, long epoch)
    {
        try
        {
            session?.OnFenced(epoch);
        }
        catch (Exception e)
        {
            LogMessages.SinkFailed(_logger, Table.Name, e);
        }
    }

    // A producer with offsets in the open segment stays: what is said of it there could not be told from what comes next.
    private bool HasExpired(ProducerState producer) =>
        producer.Session is null && producer.LastSeen > 0 && producer.LastSegmentId != _segment?.Id
        && _log.NowSeconds - producer.LastSeen > _options.ProducerExpiry.TotalSeconds;

    // Without rows there is nothing that a resend could repeat: only the session number would be remembered.
    private static bool IsWithoutRows(ProducerState producer) =>
        producer is { Session: null, IsStaged: false, LastSegmentId: 0, Offsets.End: 0 };

    // Makes room where there is none: ids that were opened once and never used would keep out all others.
    private bool TryForgetProducers()
    {
        if (_lastForgot != 0 && _time.GetElapsedTime(_lastForgot) < s_forgetInterval)
        {
            return false;
        }

        _lastForgot = Math.Max(1, _time.GetTimestamp());
        var expired = _producers.All.Where(producer => IsWithoutRows(producer) || HasExpired(producer)).ToList();
        if (expired.Count == 0)
        {
            return false;
        }

        _producerFile.SaveExpired(expired, _producers);
        foreach (var producer in expired)
        {
            _producers.Expire(producer.Id, producer.LastSegmentId);
        }

        return true;
    }

    private void RefuseOpenRequests()
    {
        while (_openRequests.TryDequeue(out var request))
        {
            request.Answer.TrySetException(new ObjectDisposedException(nameof(SegmentLog), "the log has stopped"));
        }
    }

    private readonly record struct OpenRequest(ProducerSession Session, TaskCompletionSource<ProducerOpening> Answer);
}
