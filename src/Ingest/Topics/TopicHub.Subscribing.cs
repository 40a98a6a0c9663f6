using System.Collections.Frozen;
using Ingest.V1;

namespace Ingest.Topics;

/// <content>Subscribing: what is asked for, and where it starts.</content>
public sealed partial class TopicHub
{
    private const int MaxPatterns = 256;
    private const int MaxKeys = 10_000;

    /// <summary>Begins a subscription.</summary>
    /// <exception cref="TopicException">A pattern, the filter, the token or the name cannot be; the message is for people.</exception>
    /// <exception cref="ObjectDisposedException">The server stops.</exception>
    public async ValueTask<Subscription> SubscribeAsync(
        SubscriptionOptions options, CancellationToken cancellationToken = default)
    {
        SubscriptionRequest request = SubscriptionRequest.Check(options, MaxPatterns, MaxKeys);
        await Task.CompletedTask.ConfigureAwait(false);
        var subscription = new Subscription(this, request, _options, _time.GetUtcNow());
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            var cursors = new List<TopicCursor>();
            var positions = new List<TopicPosition>();
            foreach (Topic topic in _topics.Values.Where(topic => request.Matches(topic.Name)))
            {
                TopicCursor cursor = CursorOf(subscription, topic);
                cursors.Add(cursor);
                positions.Add(new TopicPosition
                {
                    Topic = topic.Name, Epoch = cursor.Epoch, Offset = cursor.Position, Recovered = true,
                });
            }

            subscription.Begin(cursors, positions);
            _subscriptions.Add(subscription);
            foreach (TopicCursor cursor in cursors)
            {
                cursor.Topic.Join(cursor);
            }
        }

        return subscription;
    }

    internal void Remove(Subscription subscription)
    {
        lock (_gate)
        {
            if (!_subscriptions.Remove(subscription))
            {
                return;
            }
        }

        foreach (TopicCursor cursor in subscription.AllCursors())
        {
            cursor.Topic.Leave(cursor);
        }
    }

    internal void KeepPlace(string name, string resumeToken, string field)
    {
        ObjectDisposedException.ThrowIf(_isStopped, this);
        ResumeToken.Parse(resumeToken, field);
    }

    internal ValueTask ReadStoreAsync(TopicCursor cursor, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isStopped, this);
        long tail = cursor.Topic.Ring.Tail;
        cursor.Owner.Put(cursor, cursor.IsEarlier ? cursor.EnterEpoch() : cursor.Expire(tail, tail - cursor.Position));
        return ValueTask.CompletedTask;
    }

    internal ValueTask RememberAsync(IReadOnlyList<PendingUpdate> group) =>
        _isStopped || group.Count == 0 ? ValueTask.CompletedTask : default;

    // Under the gate: nobody begins to follow topics meanwhile.
    private void Welcome(Topic topic)
    {
        foreach (Subscription subscription in _subscriptions.Where(s => s.Request.Matches(topic.Name)))
        {
            var cursor = new TopicCursor(
                subscription, topic, topic.Epoch, topic.Ring.Tail, subscription.Request.SelectionOf(topic.Kind));
            topic.Join(cursor);
            subscription.Add(cursor);
        }
    }

    private static TopicCursor CursorOf(Subscription subscription, Topic topic)
    {
        SubscriptionRequest request = subscription.Request;
        UpdateSelection selection = request.SelectionOf(topic.Kind);
        bool isNew = request.Position is StartPosition.New or StartPosition.Unspecified;
        var cursor = new TopicCursor(
            subscription, topic, topic.Epoch, isNew ? topic.Ring.Head : topic.Ring.Tail, selection);
        if (request.Position == StartPosition.LastPerKey)
        {
            cursor.BeginSnapshot();
        }

        return cursor;
    }
}
