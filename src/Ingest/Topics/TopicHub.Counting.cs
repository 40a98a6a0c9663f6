namespace Ingest.Topics;

/// <content>What subscriptions were given, for those who measure.</content>
public sealed partial class TopicHub
{
    // A scrape asks for each number by itself; they are counted once for all of them.
    private static readonly TimeSpan s_totalsHold = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<string, SubscriptionTotals> _ended = new(StringComparer.Ordinal);
    private readonly Lock _totalsGate = new();
    private SubscriptionTotals[] _totals = [];
    private long _totalsAt;

    /// <summary>What subscriptions were given, by transport; of at most a tenth of a second ago.</summary>
    internal IReadOnlyCollection<SubscriptionTotals> Totals()
    {
        lock (_totalsGate)
        {
            if (_totals.Length == 0 || _time.GetElapsedTime(_totalsAt) >= s_totalsHold)
            {
                _totals = CountTotals();
                _totalsAt = _time.GetTimestamp();
            }

            return _totals;
        }
    }

    /// <summary>Counts a subscription that is ended since it is slow.</summary>
    internal void OnTooSlow(Subscription subscription) => _metrics.OnTooSlow(subscription.Request.Options.Transport);

    private SubscriptionTotals[] CountTotals()
    {
        Dictionary<string, SubscriptionTotals> totals;
        Subscription[] live;
        lock (_gate)
        {
            totals = new Dictionary<string, SubscriptionTotals>(_ended, StringComparer.Ordinal);
            live = [.. _subscriptions];
        }

        foreach (Subscription subscription in live)
        {
            SubscriptionStatus status = subscription.Status();
            totals[status.Transport] = TotalsOf(totals, status.Transport).With(status);
        }

        return [.. totals.Values];
    }

    // Under the gate: it is either among the live ones or here.
    private void CountEnded(Subscription subscription)
    {
        SubscriptionStatus status = subscription.Status();
        _ended[status.Transport] = TotalsOf(_ended, status.Transport).WithEnded(status);
    }

    private static SubscriptionTotals TotalsOf(Dictionary<string, SubscriptionTotals> totals, string transport) =>
        totals.GetValueOrDefault(transport) ?? new SubscriptionTotals(transport);
}
