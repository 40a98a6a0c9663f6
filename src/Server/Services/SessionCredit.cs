namespace Ingest.Server.Services;

/// <summary>
/// How many bytes of requests a session may send: what it was given, less what it sent. Bytes come back when their rows
/// are durable, or at once when they were not taken.
/// </summary>
/// <remarks>
/// The reading thread uses and notes, the writing one grants. Notes are joined, and handed over once a turn or once
/// <see cref="NoteBytes"/>: a request costs one atomic operation, and few notes are kept.
/// </remarks>
internal sealed class SessionCredit
{
    private const int NoteBytes = 16 * 1024;

    private readonly Lock _gate = new();
    private readonly long _whole;
    private readonly Queue<(long End, long Bytes)> _underWay = new();
    private (long End, long Bytes) _note; // The reading thread's.
    private long _left;
    private long _back;

    /// <summary>Makes the credit of a session.</summary>
    /// <param name="whole">What it has when the server is short of nothing.</param>
    /// <param name="told">What it is told to begin with.</param>
    public SessionCredit(long whole, long told)
    {
        _whole = whole;
        _left = Told = told;
        _back = whole - told;
    }

    /// <summary>What the session was told when it was opened.</summary>
    public long Told { get; }

    /// <summary>Whether a request fits; its bytes count either way, since its sender has counted them too.</summary>
    public bool TryUse(int requestBytes) => Interlocked.Add(ref _left, -requestBytes) >= 0;

    /// <summary>The bytes come back when the offsets below the end are durable. <see cref="HandOver"/> follows.</summary>
    public void Hold(long end, int requestBytes)
    {
        if (_note.Bytes + requestBytes > NoteBytes)
        {
            HandOver();
        }

        _note = (end, _note.Bytes + requestBytes);
    }

    /// <summary>Lets the writing thread know what was noted.</summary>
    public void HandOver()
    {
        if (_note.Bytes > 0)
        {
            lock (_gate)
            {
                _underWay.Enqueue(_note);
            }

            _note = default;
        }
    }

    /// <summary>The bytes come back now.</summary>
    public void GiveBack(int requestBytes) => Interlocked.Add(ref _back, requestBytes);

    /// <summary>
    /// What to grant: all that has come back, once it is a quarter of the whole or nothing is under way; otherwise 0.
    /// While something is under way no more than a limit is out; at a limit of 0 nothing is granted at all.
    /// </summary>
    /// <param name="durableOffset">What is durable.</param>
    /// <param name="limit">Bytes that the session may have before it has to wait; the whole, or less of it.</param>
    /// <param name="settled">Bytes that were under way and are durable now.</param>
    public long TakeGrant(long durableOffset, long limit, out long settled)
    {
        settled = 0;
        bool isUnderWay;
        lock (_gate)
        {
            while (_underWay.TryPeek(out (long End, long Bytes) oldest) && oldest.End <= durableOffset)
            {
                settled += _underWay.Dequeue().Bytes;
            }

            isUnderWay = _underWay.Count > 0;
        }

        long back = Interlocked.Add(ref _back, settled);
        if (limit == 0)
        {
            return 0;
        }

        // What waits for nothing gets all, however short the server is: a request may need it.
        long grant = isUnderWay ? Math.Min(back, limit - Volatile.Read(ref _left)) : back;
        if (grant <= 0 || (grant < limit / 4 && isUnderWay))
        {
            return 0;
        }

        Interlocked.Add(ref _back, -grant);
        Interlocked.Add(ref _left, grant);
        return grant;
    }
}
