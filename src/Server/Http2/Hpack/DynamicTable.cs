namespace Ingest.Server.Http2.Hpack;

/// <summary>
/// The fields that a client has told us to remember (RFC 7541, 2.3.2), newest first. Made by the first, grown with
/// use: a gRPC client's five to eight fields take 200 bytes, and their strings are shared with other connections.
/// </summary>
internal struct DynamicTable(int maxBytes)
{
    private const int InitialSlots = 8;

    private HeaderField[]? _ring;
    private int _newest;

    /// <summary>Limit of <see cref="HeaderField.Bytes"/> together, as the client last set it.</summary>
    public int MaxBytes { get; private set; } = maxBytes;

    /// <summary><see cref="HeaderField.Bytes"/> of all fields together.</summary>
    public int Bytes { get; private set; }

    /// <summary>Fields.</summary>
    public int Count { get; private set; }

    /// <summary>The field at an index that is less than <see cref="Count"/>; 0 is the newest.</summary>
    public readonly ref readonly HeaderField this[int index] => ref _ring![(_newest - index) & (_ring.Length - 1)];

    /// <summary>Sets the limit and drops the oldest fields that are above it.</summary>
    public void Resize(int maxBytes)
    {
        MaxBytes = maxBytes;
        Evict(maxBytes);
    }

    /// <summary>Drops all fields.</summary>
    public void Clear() => Evict(0);

    /// <summary>Drops the oldest fields until the new one fits, and adds it.</summary>
    /// <param name="field">A field of at most <see cref="MaxBytes"/>.</param>
    public void Add(in HeaderField field)
    {
        Evict(MaxBytes - field.Bytes);
        if (_ring is null || Count == _ring.Length)
        {
            Grow();
        }

        _newest = (_newest + 1) & (_ring!.Length - 1);
        _ring[_newest] = field;
        Bytes += field.Bytes;
        Count++;
    }

    private void Evict(int maxBytes)
    {
        while (Count > 0 && Bytes > maxBytes)
        {
            ref var oldest = ref _ring![(_newest - Count + 1) & (_ring.Length - 1)];
            Bytes -= oldest.Bytes;
            oldest = default;
            Count--;
        }
    }

    // An entry counts 32 bytes at least, so the limit bounds the ring, too.
    private void Grow()
    {
        var grown = new HeaderField[Math.Max(InitialSlots, 2 * Count)];
        for (var i = 0; i < Count; i++)
        {
            grown[i] = this[Count - 1 - i];
        }

        _newest = (Count - 1) & (grown.Length - 1);
        _ring = grown;
    }
}
