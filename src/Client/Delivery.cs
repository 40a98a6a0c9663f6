using Ingest.V1;

namespace Ingest.Client;

/// <summary>What a subscription gives: an update, or a gap in the place of updates.</summary>
public readonly record struct Delivery
{
    internal Delivery(Update update) => Update = update;

    internal Delivery(Gap gap) => Gap = gap;

    /// <summary>The update; null when this is a gap.</summary>
    public Update? Update { get; }

    /// <summary>
    /// Updates that are left out, with their exact range, how many of them this subscription would have got, and why;
    /// null when this is an update.
    /// </summary>
    public Gap? Gap { get; }

    /// <summary>
    /// The place behind it: <see cref="SubscribeOptions.ResumeToken"/> goes on there, on every transport.
    /// </summary>
    public string ResumeToken => Update?.ResumeToken ?? Gap?.ResumeToken ?? "";
}
