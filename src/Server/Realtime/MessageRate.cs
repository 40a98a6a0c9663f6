namespace Ingest.Server.Realtime;

/// <summary>Messages that a client may send: so many a second, and as many at once after a quiet second.</summary>
/// <remarks>Used by one thread at a time.</remarks>
internal sealed class MessageRate(int perSecond, TimeProvider time)
{
    private double _left = perSecond;
    private long _at = time.GetTimestamp();

    /// <summary>Takes one; false when there is none left.</summary>
    public bool TryTake()
    {
        long now = time.GetTimestamp();
        _left = Math.Min(perSecond, _left + (time.GetElapsedTime(_at, now).TotalSeconds * perSecond));
        _at = now;
        if (_left < 1)
        {
            return false;
        }

        _left--;
        return true;
    }
}
