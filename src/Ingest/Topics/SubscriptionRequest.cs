using System.Collections.Frozen;
using Ingest.V1;

namespace Ingest.Topics;

/// <summary>What a subscriber asked for, checked.</summary>
internal sealed class SubscriptionRequest
{
    private readonly TopicPattern[] _patterns;
    private readonly FrozenSet<string>? _keys;
    private readonly Dictionary<PayloadKind, UpdateSelection> _selections = [];

    private SubscriptionRequest(SubscriptionOptions options, TopicPattern[] patterns)
    {
        Options = options;
        _patterns = patterns;
        _keys = options.Keys.Count == 0 ? null : options.Keys.ToFrozenSet(StringComparer.Ordinal);
        Policy = options.Overflow == OverflowPolicy.Unspecified ? OverflowPolicy.Disconnect : options.Overflow;
    }

    public SubscriptionOptions Options { get; }

    public StartPosition Position => Options.Position;

    public OverflowPolicy Policy { get; }

    /// <summary>Checks what was asked for.</summary>
    /// <exception cref="TopicException">It cannot be.</exception>
    public static SubscriptionRequest Check(SubscriptionOptions options, int maxPatterns, int maxKeys)
    {
        if (options.Topics.Count == 0 || options.Topics.Count > maxPatterns)
        {
            throw new TopicException("topics", $"A subscription has 1 to {maxPatterns} topics, this one has {options.Topics.Count}.");
        }

        if (options.Keys.Count > maxKeys)
        {
            throw new TopicException("keys", $"A subscription has up to {maxKeys} keys, this one has {options.Keys.Count}.");
        }

        if (!Enum.IsDefined(options.Position))
        {
            throw new TopicException("position", $"There is no start position {(int)options.Position}.");
        }

        if (!Enum.IsDefined(options.Overflow))
        {
            throw new TopicException("overflow", $"There is no overflow policy {(int)options.Overflow}.");
        }

        int ways = (options.Position != StartPosition.Unspecified ? 1 : 0) + (options.ResumeToken.Length > 0 ? 1 : 0)
            + (options.Time is null ? 0 : 1);
        if (ways > 1)
        {
            throw new TopicException("from", "A subscription starts at a position, a token or a time, not at several of them.");
        }

        return new SubscriptionRequest(
            options, [.. options.Topics.Select((text, i) => TopicPattern.Parse(text, $"topics[{i}]"))]);
    }

    /// <summary>Whether it is for the topic.</summary>
    public bool Matches(string topic) => Array.Exists(_patterns, pattern => pattern.Matches(topic));

    /// <summary>Which updates of a kind of payload it is for.</summary>
    public UpdateSelection SelectionOf(PayloadKind kind)
    {
        lock (_selections)
        {
            if (!_selections.TryGetValue(kind, out UpdateSelection? selection))
            {
                selection = _keys is null ? UpdateSelection.All : new UpdateSelection(_keys, null);
                _selections.Add(kind, selection);
            }

            return selection;
        }
    }
}
