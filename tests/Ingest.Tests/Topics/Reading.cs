using System.Text;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Tests.Topics;

/// <summary>What a subscription gives, as text that is easy to compare.</summary>
internal static class Reading
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    public static string Token(this Subscription subscription) => Encoding.ASCII.GetString(subscription.ResumeToken);

    /// <summary>Reads what is there without waiting for more.</summary>
    public static List<SubscriptionItem> Read(this Subscription subscription, int max = int.MaxValue)
    {
        var items = new List<SubscriptionItem>();
        while (items.Count < max && subscription.TryRead(out SubscriptionItem item))
        {
            items.Add(item);
        }

        return items;
    }

    /// <summary>Reads until the cursors are at an offset of each topic, or the subscription ends.</summary>
    public static async Task<List<SubscriptionItem>> ReadToAsync(this Subscription subscription, long offset)
    {
        using var deadline = new CancellationTokenSource(s_deadline);
        List<SubscriptionItem> items = subscription.Read();
        while (subscription.Cursors.Any(cursor => cursor.IsEarlier || cursor.Position < offset)
            && await subscription.WaitToReadAsync(deadline.Token))
        {
            items.AddRange(subscription.Read());
        }

        return items;
    }

    /// <summary><c>3</c> for the update at offset 3, <c>EXPIRED[0,3)=2</c> for a gap with two wanted updates.</summary>
    public static string Text(this IEnumerable<SubscriptionItem> items) => string.Join(' ', items.Select(Text));

    private static string Text(SubscriptionItem item) => item.Gap is { } gap
        ? $"{gap.Reason.ToString().ToUpperInvariant()}[{gap.FromOffset},{gap.ToOffset})={gap.DroppedCount}"
        : $"{item.Update!.Offset}";
}
