using Ingest.V1;

namespace Ingest.Topics;

/// <summary>What a subscriber is given: an update, or a gap in the place of updates.</summary>
public readonly struct SubscriptionItem
{
    internal SubscriptionItem(TopicUpdate update) => Update = update;

    internal SubscriptionItem(Gap gap) => Gap = gap;

    /// <summary>The update; shared by all subscribers.</summary>
    public TopicUpdate? Update { get; }

    /// <summary>The gap, without the token that goes on after it; the reader's own.</summary>
    public Gap? Gap { get; }
}
