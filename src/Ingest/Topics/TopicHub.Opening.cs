using Ingest.Log;
using Microsoft.Extensions.Logging;

namespace Ingest.Topics;

/// <content>The start, the notes of where topics stand, and the stop.</content>
public sealed partial class TopicHub : IAsyncDisposable
{
    private static readonly TimeSpan s_housekeepingPeriod = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _noting = new(1);
    private readonly CancellationTokenSource _stopped = new();
    private long _notedRows = -1;
    private Task? _stopping;

    /// <summary>Brings the topics of an earlier run back, and makes those that every server has.</summary>
    /// <param name="recovered">Segments that the log still has; nobody deletes them meanwhile.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="IOException">The disk refuses.</exception>
    internal async Task OpenAsync(IReadOnlyList<SealedSegment> recovered, CancellationToken cancellationToken)
    {
        TopicJournal.Content noted = await Task.Run(_journal.Read, cancellationToken).ConfigureAwait(false);
        await Task.Run(_places.Open, cancellationToken).ConfigureAwait(false);
        var restore = new TopicRestore(_stored, _options, _logger, _time);
        foreach (TopicPublisher publisher in _publishers.Values)
        {
            PayloadKind kind = publisher.Kind;
            ProducerOpening opening =
                await publisher.OpenAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            IReadOnlyList<Topic> topics = await restore.RunAsync(
                kind, noted.Tables.FirstOrDefault(table => table.Name == kind.Table) ?? new TopicJournal.Table(),
                noted.IsClean, opening, recovered.Where(segment => segment.Table.Name == kind.Table), cancellationToken)
                .ConfigureAwait(false);
            foreach (Topic topic in topics)
            {
                _topics[topic.Name] = topic;
                publisher.NoteRestored(topic);
            }

            if (kind.Topic.Length > 0)
            {
                GetOrAdd(kind.Topic, kind);
            }
        }

        // What the file says of the end of the last run does not hold any more once updates are published.
        await NoteAsync(isClean: false).ConfigureAwait(false);
        _housekeeping.Change(s_housekeepingPeriod, s_housekeepingPeriod);
    }

    /// <summary>Takes no more updates, makes those durable that wait, and ends the subscriptions.</summary>
    public Task StopAsync()
    {
        lock (_gate)
        {
            return _stopping ??= StopOnceAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _noting.Dispose();
        _places.Dispose();
        _stopped.Dispose();
    }

    /// <summary>Sees to it that the epochs of topics are written down before updates of them become durable.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    internal ValueTask RememberAsync(IReadOnlyList<PendingUpdate> group)
    {
        foreach (PendingUpdate update in group)
        {
            if (!update.Topic.IsRemembered)
            {
                return new ValueTask(NoteAsync(isClean: false));
            }
        }

        return default;
    }

    private async Task StopOnceAsync()
    {
        await Task.WhenAll(_publishers.Values.Select(publisher => publisher.StopAsync())).ConfigureAwait(false);
        Subscription[] all;
        lock (_gate)
        {
            _isStopped = true;
            all = [.. _subscriptions];
        }

        foreach (Subscription subscription in all)
        {
            subscription.EndAs(SubscriptionEnd.HubStopped);
        }

        await _stopped.CancelAsync().ConfigureAwait(false);

        await _housekeeping.DisposeAsync().ConfigureAwait(false);
        await _places.CloseAsync().ConfigureAwait(false);
        try
        {
            if (_notedRows >= 0)
            {
                await NoteAsync(isClean: true).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (DiskFault.Is(e))
        {
            _logger.TopicFileNotWritten("topics.json", e);
        }
    }

    private async Task NoteAsync(bool isClean)
    {
        await _noting.WaitAsync().ConfigureAwait(false);
        try
        {
            Topic[] topics = [.. _topics.Values];
            TopicJournal.Table[] tables = [.. _publishers.Values.Select(publisher => publisher.Note(topics))];
            var content = new TopicJournal.Content { IsClean = isClean, Tables = tables };
            await Task.Run(() => _journal.Write(content)).ConfigureAwait(false);
            Volatile.Write(ref _notedRows, tables.Sum(table => table.Rows));
            foreach (Topic topic in topics)
            {
                topic.IsRemembered = true;
            }
        }
        finally
        {
            _noting.Release();
        }
    }

    // The timer's thread. A note that is of a moment ago keeps the next start from reading much of the store.
    private void KeepHouse()
    {
        long now = UnixMicros.Of(_time.GetUtcNow());
        foreach (Topic topic in _topics.Values)
        {
            topic.Ring.Sweep(topic.StoredOffset, now);
        }

        if (!_isStopped && _publishers.Values.Sum(publisher => publisher.Rows) != Volatile.Read(ref _notedRows))
        {
            _ = NoteOrLogAsync();
        }
    }

    private async Task NoteOrLogAsync()
    {
        try
        {
            await NoteAsync(isClean: false).ConfigureAwait(false);
        }
        catch (Exception e) when (DiskFault.Is(e))
        {
            _logger.TopicFileNotWritten("topics.json", e);
        }
        catch (ObjectDisposedException)
        {
            // The server has stopped meanwhile.
        }
    }
}
