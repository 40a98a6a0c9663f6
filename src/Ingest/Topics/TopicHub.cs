using System.Collections.Concurrent;
using System.Collections.Frozen;
using Google.Protobuf;
using Ingest.Log;
using Ingest.Stores;
using Ingest.V1;
using Microsoft.Extensions.Logging;

namespace Ingest.Topics;

/// <summary>The topics of a server: publishing into them, subscribing to them. One a pipeline.</summary>
/// <remarks>
/// Publishers and subscribers meet in the rings alone. Publishing never waits for a subscriber, but for the disk; a
/// subscriber costs a cursor. Any thread may call; what a subscription does belongs to its reader.
/// </remarks>
public sealed partial class TopicHub
{
    private const int MaxKeyLength = 1024;
    private const int MaxPayloadBytes = 4 << 20;

    private readonly TopicOptions _options;
    private readonly FrozenDictionary<PayloadKind, TopicPublisher> _publishers;
    private readonly ConcurrentDictionary<string, Topic> _topics = new(StringComparer.Ordinal);
    private readonly HashSet<Subscription> _subscriptions = [];
    private readonly Lock _gate = new();
    private readonly StoredUpdates _stored;
    private readonly OlderUpdates _older;
    private readonly TopicJournal _journal;
    private readonly SubscriptionPlaces _places;
    private readonly Metrics _metrics;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly ITimer _housekeeping;
    private volatile bool _isStopped;

    /// <summary>Makes a hub without topics; <see cref="OpenAsync"/> brings them.</summary>
    /// <param name="options">Settings.</param>
    /// <param name="directory">Where it keeps its files.</param>
    /// <param name="disk">The disk that they are on.</param>
    /// <param name="tableOf">The table of a kind of payload.</param>
    /// <param name="store">Where updates go that memory no longer has.</param>
    /// <param name="metrics">What it counts.</param>
    /// <param name="logger">Where faults are told.</param>
    /// <param name="time">The clock.</param>
    internal TopicHub(
        TopicOptions options, string directory, ILogFiles disk, Func<PayloadKind, IngestTable> tableOf, IStore store,
        Metrics metrics, ILogger logger, TimeProvider time)
    {
        _options = options;
        _metrics = metrics;
        _logger = logger;
        _time = time;
        _stored = new StoredUpdates(store);
        _older = new OlderUpdates(_stored, options, logger, time);
        _journal = new TopicJournal(disk, directory, logger);
        _places = new SubscriptionPlaces(disk, directory, options.MaxPlaces, logger, time);
        _publishers = PayloadKind.All.ToFrozenDictionary(
            kind => kind, kind => new TopicPublisher(this, kind, tableOf(kind), options, logger, time));
        _housekeeping = time.CreateTimer(
            static hub => ((TopicHub)hub!).KeepHouse(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        metrics.Watch(this);
    }

    /// <summary>The topics, by name.</summary>
    public IReadOnlyCollection<TopicStatus> Topics =>
        [.. _topics.Values.Select(topic => topic.Status()).OrderBy(topic => topic.Name, StringComparer.Ordinal)];

    /// <summary>The subscriptions that have not been disposed.</summary>
    public IReadOnlyCollection<SubscriptionStatus> Subscriptions
    {
        get
        {
            Subscription[] all;
            lock (_gate)
            {
                all = [.. _subscriptions];
            }

            return [.. all.Select(subscription => subscription.Status())];
        }
    }

    /// <summary>
    /// Publishes an update; completes when it is durable and subscribers can read it. Updates of one caller to one
    /// topic that it does not await keep their order.
    /// </summary>
    /// <param name="topic">Name of the topic; made when it is new.</param>
    /// <param name="key">The entity that the update is about.</param>
    /// <param name="payload">
    /// An <see cref="EtaPrediction"/>, <see cref="RouteOptimization"/>, <see cref="DriverAllocation"/>,
    /// <see cref="Alert"/> or <see cref="Google.Protobuf.WellKnownTypes.Struct"/>; a topic has one of these for ever.
    /// Serialised before the method returns.
    /// </param>
    /// <param name="cancellationToken">Ends the wait for room; what was taken goes its way.</param>
    /// <exception cref="TopicException">The topic, the key or the payload cannot be.</exception>
    /// <exception cref="TopicFullException">
    /// Twice as much as <see cref="TopicOptions.MaxPendingBytes"/> waits: callers that do not await their updates.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The server stops; the update is not durable.</exception>
    public ValueTask<TopicUpdate> PublishAsync(
        string topic, string key, IMessage payload, CancellationToken cancellationToken = default)
    {
        (TopicPublisher publisher, Topic target, byte[] bytes) = Check(topic, key, payload);
        return publisher.PublishAsync(target, key, bytes, cancellationToken);
    }

    /// <summary>
    /// As <see cref="PublishAsync"/>, for callers that send many updates without awaiting each: takes one only where
    /// there is room for it.
    /// </summary>
    /// <param name="topic">Name of the topic; made when it is new.</param>
    /// <param name="key">The entity that the update is about.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="published">Completes when it is durable and subscribers can read it.</param>
    /// <returns>False when it was not taken; <see cref="WaitForRoomAsync"/> says when to try again.</returns>
    /// <exception cref="TopicException">The topic, the key or the payload cannot be.</exception>
    /// <exception cref="ObjectDisposedException">The server stops; the update is not durable.</exception>
    public bool TryPublish(string topic, string key, IMessage payload, out ValueTask<TopicUpdate> published)
    {
        (TopicPublisher publisher, Topic target, byte[] bytes) = Check(topic, key, payload);
        return publisher.TryPublish(target, key, bytes, out published);
    }

    /// <summary>Completes when less than <see cref="TopicOptions.MaxPendingBytes"/> of a payload's kind wait.</summary>
    /// <exception cref="TopicException">The payload cannot be.</exception>
    public Task WaitForRoomAsync(IMessage payload) => _publishers[KindOf(payload)].WaitForRoomAsync();

    private static PayloadKind KindOf(IMessage payload) =>
        PayloadKind.Of(payload.Descriptor) ?? throw new TopicException(
            "payload", $"{payload.Descriptor.FullName} is no payload that an update can have.");

    private (TopicPublisher Publisher, Topic Topic, byte[] Payload) Check(string topic, string key, IMessage payload)
    {
        PayloadKind kind = KindOf(payload);
        if (key.Length > MaxKeyLength)
        {
            throw new TopicException("key", $"A key has up to {MaxKeyLength} characters, this one has {key.Length}.");
        }

        byte[] bytes = payload.ToByteArray();
        if (bytes.Length > MaxPayloadBytes)
        {
            throw new TopicException(
                "payload", $"A payload has up to {MaxPayloadBytes} bytes, this one has {bytes.Length}.");
        }

        return (_publishers[kind], GetOrAdd(topic, kind), bytes);
    }

    /// <summary>The readers of its subscriptions that go on.</summary>
    internal WokenReaders Woken { get; } = new();

    /// <summary>Bytes of updates in memory, and subscriptions, topic by topic.</summary>
    internal IEnumerable<(string Name, long Bytes, int Subscribers)> Sizes() =>
        _topics.Values.Select(topic => (topic.Name, topic.Ring.Bytes, topic.SubscriberCount));

    internal void OnPublished(string table, int updates, TimeSpan duration) =>
        _metrics.OnPublished(table, updates, duration);

    internal void OnGap(Gap gap) => _metrics.OnGap(gap.Topic, gap.Reason, gap.DroppedCount);

    private Topic GetOrAdd(string name, PayloadKind kind)
    {
        if (!_topics.TryGetValue(name, out Topic? topic))
        {
            topic = Add(name, kind);
        }

        return topic.Kind == kind ? topic : throw new TopicException(
            "payload", $"Topic '{name}' has payloads {topic.Kind.Payload.Name}, not {kind.Payload.Name}.");
    }

    private Topic Add(string name, PayloadKind kind)
    {
        if (!TopicPattern.IsName(name))
        {
            throw new TopicException(
                "topic", $"'{name}' is no topic: tokens of letters, digits, - and _ separated by dots are, up to "
                + $"{TopicPattern.MaxNameLength} characters.");
        }

        if (PayloadKind.OfTopic(name) is { } own && own != kind)
        {
            throw new TopicException(
                "payload", $"Topic '{name}' has payloads {own.Payload.Name}, not {kind.Payload.Name}.");
        }

        lock (_gate)
        {
            if (_topics.TryGetValue(name, out Topic? topic))
            {
                return topic;
            }

            ObjectDisposedException.ThrowIf(_isStopped, this);
            if (_topics.Count >= _options.MaxTopics)
            {
                throw new TopicException(
                    "topic", $"There are {_topics.Count} topics, as many as Ingest:Topics:MaxTopics allows.");
            }

            topic = new Topic(name, kind, TopicEpoch.Create(_time), new TopicRing(_options, 0), stored: 0);
            _topics[name] = topic;
            Welcome(topic);
            return topic;
        }
    }
}
