namespace Ingest.Topics;

/// <summary>A topic as it stands now.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Epoch">Its epoch; offsets are contiguous within one.</param>
/// <param name="NextOffset">Offset that the next update gets.</param>
/// <param name="OldestOffset">Oldest offset in memory; <paramref name="NextOffset"/> when there is none.</param>
/// <param name="StoredOffset">First offset that the store does not have, at least.</param>
/// <param name="Bytes">Bytes of the updates in memory.</param>
/// <param name="Subscribers">Subscriptions that follow it.</param>
/// <param name="LastEmittedAt">When its last update was emitted; null when there was none.</param>
public sealed record TopicStatus(
    string Name, string Epoch, long NextOffset, long OldestOffset, long StoredOffset, long Bytes, int Subscribers,
    DateTimeOffset? LastEmittedAt)
{
    /// <summary>Updates in memory.</summary>
    public long Count => NextOffset - OldestOffset;
}
