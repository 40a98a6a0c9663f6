namespace Ingest.Server.Http2.Hpack;

/// <summary>Counts a header block's fields against its limits.</summary>
/// <param name="maxBytes">Limit of names, values and 32 bytes a field together.</param>
/// <param name="maxFields">Limit by number.</param>
internal struct HeaderLimits(int maxBytes, int maxFields)
{
    private long _bytesLeft = maxBytes;
    private int _fieldsLeft = maxFields;

    /// <summary>Whether more was counted than the limits allow.</summary>
    public readonly bool Exceeded => _bytesLeft < 0 || _fieldsLeft < 0;

    /// <summary>Whether a field with a name of this length can still be within the limits.</summary>
    public readonly bool Allow(int nameBytes) => nameBytes <= _bytesLeft && _fieldsLeft > 0;

    /// <summary>Counts a field; false when it, or one before it, is over the limits.</summary>
    public bool Take(int bytes)
    {
        _bytesLeft -= bytes;
        _fieldsLeft--;
        return !Exceeded;
    }
}
