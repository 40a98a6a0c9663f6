namespace Ingest.Topics;

/// <summary>What the subscriptions of one transport were given, those included that have ended.</summary>
/// <param name="Transport">How they are served: <c>grpc</c>, <c>websocket</c>, <c>sse</c>, <c>agent</c>.</param>
internal sealed record SubscriptionTotals(string Transport)
{
    /// <summary>Subscriptions now.</summary>
    public long Active { get; init; }

    /// <summary>Subscriptions that were begun, ever.</summary>
    public long Begun { get; init; }

    /// <summary>Updates that they were given.</summary>
    public long Delivered { get; init; }

    /// <summary>Updates that they would have got and that gaps stand for.</summary>
    public long Dropped { get; init; }

    /// <summary>Gaps that they were given.</summary>
    public long Gaps { get; init; }

    /// <summary>Updates that the one furthest behind has not looked at.</summary>
    public long MostLagMessages { get; init; }

    /// <summary>Event time that the one furthest behind is behind.</summary>
    public TimeSpan MostLagTime { get; init; }

    /// <summary>The same with one more subscription, as it stands now.</summary>
    public SubscriptionTotals With(SubscriptionStatus one) => this with
    {
        Active = Active + 1,
        Begun = Begun + 1,
        Delivered = Delivered + one.Delivered,
        Dropped = Dropped + one.Dropped,
        Gaps = Gaps + one.Gaps,
        MostLagMessages = Math.Max(MostLagMessages, one.LagMessages),
        MostLagTime = one.LagTime > MostLagTime ? one.LagTime : MostLagTime,
    };

    /// <summary>The same with one more subscription, which has ended.</summary>
    public SubscriptionTotals WithEnded(SubscriptionStatus one) => this with
    {
        Begun = Begun + 1,
        Delivered = Delivered + one.Delivered,
        Dropped = Dropped + one.Dropped,
        Gaps = Gaps + one.Gaps,
    };
}
