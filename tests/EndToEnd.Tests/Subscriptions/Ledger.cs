using Ingest.Client;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>
/// What a subscriber of one topic was given: refuses what comes twice or out of order, and what is left out without a
/// gap that says so exactly.
/// </summary>
internal sealed class Ledger
{
    private readonly Dictionary<(string Epoch, long Offset), int> _updates = [];
    private readonly List<Gap> _gaps = [];
    private string? _epoch;
    private long _next;

    /// <summary>Updates by their place; the payload's number.</summary>
    public IReadOnlyDictionary<(string Epoch, long Offset), int> Updates => _updates;

    public IReadOnlyList<Gap> Gaps => _gaps;

    /// <summary>Takes what came next.</summary>
    public void Add(Delivery delivery) => Add(delivery.Update, delivery.Gap);

    /// <summary>Takes what came next: an update, or a gap.</summary>
    public void Add(Update? update, Gap? gap)
    {
        if (gap is not null)
        {
            Assert.True(
                _epoch is null || (gap.FromEpoch, gap.FromOffset) == (_epoch, _next),
                $"{gap} came at {_epoch} {_next}");
            _gaps.Add(gap);
            (_epoch, _next) = (gap.ToEpoch, gap.ToOffset);
            return;
        }

        Assert.True(
            _epoch is null || (update!.Epoch, update.Offset) == (_epoch, _next),
            $"{update!.Epoch} {update.Offset} came where {_epoch} {_next} was due");
        (_epoch, _next) = (update.Epoch, update.Offset + 1);
        _updates.Add((update.Epoch, update.Offset), Numbers.Of(update));
    }
}
