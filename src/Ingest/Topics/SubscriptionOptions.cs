using Ingest.V1;

namespace Ingest.Topics;

/// <summary>What a subscriber asks for.</summary>
public sealed record SubscriptionOptions
{
    /// <summary>
    /// Topics: tokens separated by dots, <c>*</c> for one token, <c>&gt;</c> at the end for the rest.
    /// </summary>
    public required IReadOnlyList<string> Topics { get; init; }

    /// <summary>Keys to follow; empty for all.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>Which updates are wanted; null for all.</summary>
    public Filter? Filter { get; init; }

    /// <summary>Where to start; unspecified is NEW, or the kept place of a named subscription.</summary>
    public StartPosition Position { get; init; }

    /// <summary>Token to go on from; empty for none.</summary>
    public string ResumeToken { get; init; } = "";

    /// <summary>Start with the first update emitted at or after this time; null for none.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>What happens when the subscriber is slow; unspecified is DISCONNECT.</summary>
    public OverflowPolicy Overflow { get; init; }

    /// <summary>Name of a place that the server keeps; empty for none.</summary>
    public string Name { get; init; } = "";

    /// <summary>How it is served: <c>grpc</c>, <c>websocket</c>, <c>sse</c>; for status alone.</summary>
    public string Transport { get; init; } = "";

    /// <summary>Who reads it; for status alone.</summary>
    public string Remote { get; init; } = "";
}
