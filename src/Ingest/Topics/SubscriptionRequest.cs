using System.Collections.Frozen;
using Ingest.Topics.Filters;
using Ingest.V1;

namespace Ingest.Topics;

/// <summary>What a subscriber asked for, checked.</summary>
internal sealed class SubscriptionRequest
{
    private const int MaxPatterns = 256;
    private const int MaxKeys = 10_000;
    private const int MaxNameLength = 200;

    private readonly TopicPattern[] _patterns;
    private readonly FrozenSet<string>? _keys;
    private readonly UpdateSelection _unfiltered;

    // A filter is compiled for each kind of payload; without one there is nothing to remember, in many subscriptions.
    private readonly Dictionary<PayloadKind, UpdateSelection>? _filtered;

    private SubscriptionRequest(SubscriptionOptions options, TopicPattern[] patterns)
    {
        Options = options;
        _patterns = patterns;
        _keys = options.Keys.Count == 0 ? null : options.Keys.ToFrozenSet(StringComparer.Ordinal);
        _unfiltered = _keys is null ? UpdateSelection.All : new UpdateSelection(_keys, filter: null);
        _filtered = options.Filter is null ? null : [];
        Policy = options.Overflow == OverflowPolicy.Unspecified ? OverflowPolicy.Disconnect : options.Overflow;
    }

    public SubscriptionOptions Options { get; }

    public StartPosition Position => Options.Position;

    public OverflowPolicy Policy { get; }

    /// <summary>Where it goes on, by topic; null when it does not.</summary>
    public FrozenDictionary<string, TopicPlace>? Places { get; private init; }

    /// <summary>Path of the field that <see cref="Places"/> came in.</summary>
    public string PlacesField { get; private init; } = "";

    /// <summary>Checks what was asked for.</summary>
    /// <param name="options">What was asked for.</param>
    /// <param name="topics">The topics that there are.</param>
    /// <param name="place">Token that is kept for the subscription; null for none.</param>
    /// <exception cref="TopicException">It cannot be.</exception>
    public static SubscriptionRequest Check(SubscriptionOptions options, IEnumerable<Topic> topics, string? place)
    {
        CheckNumbers(options);
        TopicPattern[] patterns = [.. options.Topics.Select((text, i) => TopicPattern.Parse(text, $"topics[{i}]"))];
        if (options.Filter is { } filter)
        {
            PayloadKind[] kinds = [.. KindsOf(patterns, topics).Distinct()];
            FilterCompiler.Check(filter, kinds.Length > 0 ? kinds : PayloadKind.All);
        }

        string token = place ?? options.ResumeToken;
        string field = place is null ? "resume_token" : "subscription";
        return new SubscriptionRequest(options, patterns)
        {
            Places = token.Length == 0
                ? null
                : ResumeToken.Parse(token, field).ToFrozenDictionary(p => p.Topic, StringComparer.Ordinal),
            PlacesField = field,
        };
    }

    /// <summary>Whether it is for the topic.</summary>
    public bool Matches(string topic) => Array.Exists(_patterns, pattern => pattern.Matches(topic));

    /// <summary>Which updates of a kind of payload it is for.</summary>
    public UpdateSelection SelectionOf(PayloadKind kind)
    {
        if (_filtered is null)
        {
            return _unfiltered;
        }

        lock (_filtered)
        {
            if (!_filtered.TryGetValue(kind, out UpdateSelection? selection))
            {
                selection = new UpdateSelection(_keys, FilterCompiler.Compile(Options.Filter!, kind));
                _filtered.Add(kind, selection);
            }

            return selection;
        }
    }

    // What the patterns surely mean now; of topics that are to come nobody knows.
    private static IEnumerable<PayloadKind> KindsOf(TopicPattern[] patterns, IEnumerable<Topic> topics) =>
        topics.Where(topic => Array.Exists(patterns, pattern => pattern.Matches(topic.Name)))
            .Select(topic => topic.Kind);

    private static void CheckNumbers(SubscriptionOptions options)
    {
        if (options.Topics.Count is 0 or > MaxPatterns)
        {
            throw new TopicException(
                "topics", $"A subscription has 1 to {MaxPatterns} topics, this one has {options.Topics.Count}.");
        }

        if (options.Keys.Count > MaxKeys)
        {
            throw new TopicException(
                "keys", $"A subscription has up to {MaxKeys} keys, this one has {options.Keys.Count}.");
        }

        if (!Enum.IsDefined(options.Position))
        {
            throw new TopicException("position", $"There is no start position {(int)options.Position}.");
        }

        if (!Enum.IsDefined(options.Overflow))
        {
            throw new TopicException("overflow", $"There is no overflow policy {(int)options.Overflow}.");
        }

        if (options.Name.Length > MaxNameLength)
        {
            throw new TopicException(
                "subscription", $"The name of a subscription has up to {MaxNameLength} characters.");
        }

        int ways = (options.Position != StartPosition.Unspecified ? 1 : 0) + (options.ResumeToken.Length > 0 ? 1 : 0)
            + (options.Time is null ? 0 : 1);
        if (ways > 1)
        {
            throw new TopicException(
                "from", "A subscription starts at a position, a token or a time, not at several of them.");
        }
    }
}
