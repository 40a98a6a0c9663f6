using System.Collections.Frozen;
using Ingest.Topics.Filters;

namespace Ingest.Topics;

/// <summary>Which updates of a topic a subscription wants: by key, and by what the payload says.</summary>
/// <remarks>Hot: asked once an update and subscription; allocates nothing.</remarks>
internal sealed class UpdateSelection
{
    private readonly FrozenSet<string>? _keys;
    private readonly FilterNode? _filter;

    /// <summary>Makes one.</summary>
    /// <param name="keys">The keys; null for all.</param>
    /// <param name="filter">The condition on payloads of the topic's kind; null for all.</param>
    public UpdateSelection(FrozenSet<string>? keys, FilterNode? filter) => (_keys, _filter) = (keys, filter);

    /// <summary>Every update.</summary>
    public static UpdateSelection All { get; } = new(null, null);

    /// <summary>Whether it is every update.</summary>
    public bool IsAll => _keys is null && _filter is null;

    /// <summary>Whether it is this update.</summary>
    public bool Wants(TopicUpdate update) =>
        (_keys is null || _keys.Contains(update.Key)) && (_filter is null || _filter.Matches(update.Payload));
}
