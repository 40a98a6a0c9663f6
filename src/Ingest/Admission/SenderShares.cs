namespace Ingest.Admission;

/// <summary>The senders that there are, and what an equal part of the server would be for each.</summary>
/// <remarks>
/// A sender whose last stream has ended is remembered while what it used still counts: a refused one comes back with a
/// new call.
/// </remarks>
internal sealed class SenderShares(int turns, TimeProvider time)
{
    private static readonly TimeSpan s_firstFade = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<string, SenderShare> _shares = new(StringComparer.Ordinal);
    private readonly List<SenderShare> _faded = [];
    private readonly Lock _gate = new();
    private double _fairRecentBytes;
    private double _fairUsedBytes;
    private long _fadedAt;

    /// <summary>Senders that have streams now.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _shares.Values.Count(share => share.Streams > 0);
            }
        }
    }

    /// <summary>Adds a stream to its sender's share.</summary>
    public SenderShare Join(string sender)
    {
        lock (_gate)
        {
            if (!_shares.TryGetValue(sender, out SenderShare? share))
            {
                _shares.Add(sender, share = new SenderShare(sender, turns));
            }

            share.Streams++;
            return share;
        }
    }

    /// <summary>Takes a stream away again.</summary>
    public void Leave(SenderShare share)
    {
        lock (_gate)
        {
            share.Streams--;
        }
    }

    /// <summary>What a sender decoded in the last moments, in equal parts of all: who takes less is paused less.</summary>
    public double RecentParts(SenderShare share) => share.RecentBytes / Math.Max(1, Volatile.Read(ref _fairRecentBytes));

    /// <summary>What a sender decoded in the last seconds, in equal parts of all.</summary>
    public double UsedParts(SenderShare share) => share.UsedBytes / Math.Max(1, Volatile.Read(ref _fairUsedBytes));

    /// <summary>Lets what was used fade; ten times a second, by one thread at a time.</summary>
    public void Fade()
    {
        TimeSpan elapsed = _fadedAt == 0 ? s_firstFade : time.GetElapsedTime(_fadedAt);
        _fadedAt = time.GetTimestamp();
        lock (_gate)
        {
            _faded.AddRange(_shares.Values);
        }

        double recent = 0, used = 0;
        int recently = 0, users = 0;
        bool isAnyForgotten = false;
        foreach (SenderShare share in _faded)
        {
            share.Fade(elapsed);
            recent += share.RecentBytes;
            recently += share.RecentBytes > 0.5 ? 1 : 0;
            used += share.UsedBytes;
            users += share.UsedBytes > 0.5 ? 1 : 0;
            isAnyForgotten |= share.IsForgotten;
        }

        Volatile.Write(ref _fairRecentBytes, recent / Math.Max(1, recently));
        Volatile.Write(ref _fairUsedBytes, used / Math.Max(1, users));
        if (isAnyForgotten)
        {
            Forget();
        }

        _faded.Clear();
    }

    private void Forget()
    {
        lock (_gate)
        {
            foreach (SenderShare share in _faded)
            {
                if (share.IsForgotten)
                {
                    _shares.Remove(share.Sender);
                }
            }
        }
    }
}
