namespace Ingest.Server.Services;

/// <summary>
/// How many bytes of requests a session may send: what it was given, less what it sent. Bytes come back when their rows
/// are durable, or at once when they were not taken.
/// </summary>
/// <remarks>
/// The reading thread uses, the writing one grants. Small requests share an entry, so that few are kept.
/// </remarks>
internal sealed class SessionCredit
{
    private const int EntryBytes = 16 * 1024;

    private readonly Lock _gate = new();
    private readonly long _whole;
    private readonly Queue<(long End, long Bytes)> _underWay = new();
    private (long End, long Bytes) _last;
    private long _left;
    private long _back;

    /// <summary>Makes the credit of a session that was told of it.</summary>
    public SessionCredit(long bytes) => _left = _whole = bytes;

    /// <summary>Whether a request fits; its bytes count either way, since its sender has counted them too.</summary>
    public bool TryUse(int requestBytes)
    {
        lock (_gate)
        {
            _left -= requestBytes;
            return _left >= 0;
        }
    }

    /// <summary>The bytes come back when the offsets below the end are durable.</summary>
    public void Hold(long end, int requestBytes)
    {
        lock (_gate)
        {
            if (_last.Bytes + requestBytes > EntryBytes && _last.Bytes > 0)
            {
                _underWay.Enqueue(_last);
                _last = default;
            }

            _last = (end, _last.Bytes + requestBytes);
        }
    }

    /// <summary>The bytes come back now.</summary>
    public void GiveBack(int requestBytes)
    {
        lock (_gate)
        {
            _back += requestBytes;
        }
    }

    /// <summary>
    /// What to grant: all that has come back, once it is a quarter of the whole or nothing is under way; otherwise 0.
    /// </summary>
    public long TakeGrant(long durableOffset)
    {
        lock (_gate)
        {
            while (_underWay.TryPeek(out (long End, long Bytes) oldest) && oldest.End <= durableOffset)
            {
                _back += _underWay.Dequeue().Bytes;
            }

            if (_underWay.Count == 0 && _last.End <= durableOffset)
            {
                _back += _last.Bytes;
                _last = default;
            }

            if (_back < _whole / 4 && (_underWay.Count > 0 || _last.Bytes > 0))
            {
                return 0;
            }

            long grant = _back;
            _left += grant;
            _back = 0;
            return grant;
        }
    }
}
