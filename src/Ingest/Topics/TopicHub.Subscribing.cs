using Ingest.Stores;
using Ingest.V1;

namespace Ingest.Topics;

/// <content>Subscribing: where a subscription starts, and what becomes of it.</content>
public sealed partial class TopicHub
{
    /// <summary>Begins a subscription.</summary>
    /// <param name="options">What is asked for.</param>
    /// <param name="cancellationToken">Ends the look into the store, for a place that memory no longer has.</param>
    /// <exception cref="TopicException">
    /// A pattern, the filter, the token or the name cannot be; the message is for people.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The server stops.</exception>
    public async ValueTask<Subscription> SubscribeAsync(
        SubscriptionOptions options, CancellationToken cancellationToken = default)
    {
        SubscriptionRequest request = SubscriptionRequest.Check(options, _topics.Values, PlaceOf(options));
        var starts = new Dictionary<Topic, SubscriptionStart>();
        foreach (Topic topic in _topics.Values.Where(topic => request.Matches(topic.Name)))
        {
            starts[topic] = await StartOfAsync(request, topic, cancellationToken).ConfigureAwait(false);
        }

        var subscription = new Subscription(this, request, _options, _time.GetUtcNow());
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            var cursors = new List<TopicCursor>();
            var positions = new List<TopicPosition>();
            foreach (Topic topic in _topics.Values.Where(topic => request.Matches(topic.Name))
                .OrderBy(topic => topic.Name, StringComparer.Ordinal))
            {
                SubscriptionStart start = starts.GetValueOrDefault(
                    topic, new SubscriptionStart(topic.Epoch, topic.Ring.Tail, IsRecovered: true));
                var cursor = new TopicCursor(
                    subscription, topic, start.Epoch, start.Offset, request.SelectionOf(topic.Kind));
                if (request.Position == StartPosition.LastPerKey)
                {
                    cursor.BeginSnapshot();
                }

                cursors.Add(cursor);
                positions.Add(new TopicPosition
                {
                    Topic = topic.Name, Epoch = start.Epoch, Offset = start.Offset, Recovered = start.IsRecovered,
                });
            }

            subscription.Begin(cursors, positions);
            _subscriptions.Add(subscription);
            foreach (TopicCursor cursor in cursors)
            {
                cursor.Topic.Join(cursor);
            }
        }

        return KeepFirstPlace(subscription, options);
    }

    internal void Remove(Subscription subscription)
    {
        lock (_gate)
        {
            if (!_subscriptions.Remove(subscription))
            {
                return;
            }

            CountEnded(subscription);
        }

        foreach (TopicCursor cursor in subscription.AllCursors())
        {
            cursor.Topic.Leave(cursor);
        }
    }

    internal void KeepPlace(string name, string resumeToken, string field)
    {
        ResumeToken.Parse(resumeToken, field);
        if (name.Length > 0)
        {
            _places.Keep(name, resumeToken);
        }
    }

    // The place of a named subscription counts when nothing else is asked for.
    private string? PlaceOf(SubscriptionOptions options) =>
        options.Name.Length > 0 && options.Position == StartPosition.Unspecified && options.ResumeToken.Length == 0
            && options.Time is null
            ? _places.Find(options.Name)
            : null;

    // So that one that leaves before its first ack goes on where it began, and not with what is new by then.
    private Subscription KeepFirstPlace(Subscription subscription, SubscriptionOptions options)
    {
        try
        {
            if (options.Name.Length > 0 && _places.Find(options.Name) is null)
            {
                _places.Keep(options.Name, System.Text.Encoding.ASCII.GetString(subscription.ResumeToken));
            }

            return subscription;
        }
        catch
        {
            subscription.Dispose();
            throw;
        }
    }

    private async ValueTask<SubscriptionStart> StartOfAsync(
        SubscriptionRequest request, Topic topic, CancellationToken cancellationToken)
    {
        TopicRing ring = topic.Ring;
        if (request.Places is { } places)
        {
            // A topic that the token does not know came after it.
            return places.TryGetValue(topic.Name, out TopicPlace place)
                ? await ResumeAsync(request, topic, place, cancellationToken).ConfigureAwait(false)
                : new SubscriptionStart(topic.Epoch, ring.Tail, IsRecovered: true);
        }

        if (request.Options.Time is { } time)
        {
            return await FindAsync(topic, UnixMicros.Of(time), cancellationToken).ConfigureAwait(false);
        }

        return request.Position switch
        {
            StartPosition.Earliest => await FindAsync(topic, long.MinValue, cancellationToken).ConfigureAwait(false),
            StartPosition.LastPerKey => new SubscriptionStart(topic.Epoch, ring.Tail, IsRecovered: true),
            _ => new SubscriptionStart(topic.Epoch, ring.Head, IsRecovered: true),
        };
    }

    private async ValueTask<SubscriptionStart> ResumeAsync(
        SubscriptionRequest request, Topic topic, TopicPlace place, CancellationToken cancellationToken)
    {
        if (place.Epoch != topic.Epoch)
        {
            return new SubscriptionStart(place.Epoch, place.Offset, IsRecovered: false);
        }

        if (place.Offset > topic.Ring.Head)
        {
            throw new TopicException(
                request.PlacesField,
                $"The resume token is ahead of topic '{topic.Name}', which has {topic.Ring.Head} updates.");
        }

        // What the store does not have yet it will have; of the rest it is asked.
        long end = Math.Min(topic.Ring.Tail, topic.StoredOffset);
        if (place.Offset >= end)
        {
            return new SubscriptionStart(topic.Epoch, place.Offset, IsRecovered: true);
        }

        try
        {
            long count = await _stored.CountAsync(
                topic.Kind, topic.Name, topic.Epoch, place.Offset, end, cancellationToken).ConfigureAwait(false);
            return new SubscriptionStart(topic.Epoch, place.Offset, IsRecovered: count == end - place.Offset);
        }
        catch (StoreException)
        {
            return new SubscriptionStart(topic.Epoch, place.Offset, IsRecovered: false);
        }
    }

    // The first update that was emitted at or after a time; of what memory no longer has, too.
    private async ValueTask<SubscriptionStart> FindAsync(
        Topic topic, long micros, CancellationToken cancellationToken)
    {
        TopicRing ring = topic.Ring;
        long tail = ring.Tail;
        bool isOlder = tail > 0 && (!ring.TryGet(tail, out TopicUpdate oldest) || oldest.EmittedAtMicros >= micros);
        if (!isOlder)
        {
            return new SubscriptionStart(topic.Epoch, ring.Find(micros), IsRecovered: true);
        }

        long? found = await _older.FindAsync(topic, _publishers[topic.Kind], tail, micros, cancellationToken)
            .ConfigureAwait(false);
        return new SubscriptionStart(topic.Epoch, found ?? ring.Find(micros), IsRecovered: found is not null);
    }

    // Under the gate: nobody begins to follow topics meanwhile. All of a new topic is new to its subscribers.
    private void Welcome(Topic topic)
    {
        foreach (Subscription subscription in _subscriptions.Where(s => s.Request.Matches(topic.Name)))
        {
            TopicPlace place = default;
            bool isKnown = subscription.Request.Places?.TryGetValue(topic.Name, out place) == true;
            var cursor = new TopicCursor(
                subscription, topic, isKnown ? place.Epoch : topic.Epoch, isKnown ? place.Offset : topic.Ring.Tail,
                subscription.Request.SelectionOf(topic.Kind));
            topic.Join(cursor);
            subscription.Add(cursor);
        }
    }
}
