using System.Buffers;

namespace Ingest.Server.Http2.Hpack;

/// <summary>
/// Reads the header blocks of one connection (RFC 7541). Between blocks it is an object of 56 bytes; the table is made
/// by the first field that the client indexes and grows with use.
/// </summary>
/// <param name="maxTableBytes">SETTINGS_HEADER_TABLE_SIZE as we announce it; HTTP/2's default is 4096.</param>
/// <remarks>
/// Runs on the thread that reads the connection, one block at a time. A block whose fields are all in the tables, or
/// literals that repeat from call to call, allocates nothing. Beyond the limits fields are counted, not made.
/// </remarks>
internal sealed class HpackDecoder(int maxTableBytes = HpackDecoder.DefaultTableBytes)
{
    /// <summary>The size of the table where SETTINGS do not say another.</summary>
    public const int DefaultTableBytes = 4096;

    private const int ScratchBytes = 512;

    // The forms of a field (RFC 7541, 6), and the bits of the first byte that are the integer's.
    private const int Indexed = 0x80;
    private const int IndexedMask = 0x7F;
    private const int LiteralToIndex = 0x40;
    private const int LiteralToIndexMask = 0x3F;
    private const int SizeUpdate = 0x20;
    private const int SizeUpdateMask = 0x1F;
    private const int LiteralMask = 0x0F;

    private readonly int _maxTableBytes = maxTableBytes;
    private DynamicTable _table = new(maxTableBytes);

    /// <summary>Size of the dynamic table in bytes, as HPACK counts them.</summary>
    public int TableBytes => _table.Bytes;

    /// <summary>Reads a complete header block: HEADERS and its CONTINUATIONs, without padding and priority.</summary>
    /// <param name="block">The block; it is not held.</param>
    /// <param name="sink">Takes the fields.</param>
    /// <param name="maxListBytes">Limit of names, values and 32 bytes a field together (RFC 9113, 6.5.2).</param>
    /// <param name="maxFields">Limit of the fields by number, pseudo-headers included.</param>
    /// <returns>What is wrong with the block; after other errors than TooLarge the decoder is of no use.</returns>
    public HpackError Decode<TSink>(ReadOnlySpan<byte> block, ref TSink sink, int maxListBytes, int maxFields)
        where TSink : IHeaderSink
    {
        var reader = new HpackReader(block, stackalloc byte[ScratchBytes]);
        var limits = new HeaderLimits(maxListBytes, maxFields);
        try
        {
            var error = DecodeSizes(ref reader);
            while (error == HpackError.None && !reader.IsAtEnd)
            {
                error = DecodeField(ref reader, ref sink, ref limits);
            }

            return error == HpackError.None && limits.Exceeded ? HpackError.TooLarge : error;
        }
        finally
        {
            reader.Dispose();
        }
    }

    /// <inheritdoc cref="Decode{TSink}(ReadOnlySpan{byte}, ref TSink, int, int)"/>
    public HpackError Decode<TSink>(in ReadOnlySequence<byte> block, ref TSink sink, int maxListBytes, int maxFields)
        where TSink : IHeaderSink
    {
        if (block.IsSingleSegment)
        {
            return Decode(block.FirstSpan, ref sink, maxListBytes, maxFields);
        }

        var length = checked((int)block.Length);
        var whole = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            block.CopyTo(whole);
            return Decode(whole.AsSpan(0, length), ref sink, maxListBytes, maxFields);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }

    // Only before the first field (RFC 7541, 4.2).
    private HpackError DecodeSizes(ref HpackReader reader)
    {
        while (!reader.IsAtEnd && (reader.Next & ~SizeUpdateMask) == SizeUpdate)
        {
            if (reader.ReadInteger(SizeUpdateMask, out var size) is var error and not HpackError.None)
            {
                return error;
            }

            if (size > _maxTableBytes)
            {
                return HpackError.TableSizeTooLarge;
            }

            _table.Resize(size);
        }

        return HpackError.None;
    }

    private HpackError DecodeField<TSink>(ref HpackReader reader, ref TSink sink, ref HeaderLimits limits)
        where TSink : IHeaderSink
    {
        var first = reader.Next;
        if ((first & Indexed) == 0)
        {
            return (first & ~SizeUpdateMask) == SizeUpdate
                ? HpackError.TableSizeMisplaced
                : DecodeLiteral(ref reader, (first & LiteralToIndex) != 0, ref sink, ref limits);
        }

        if (reader.ReadInteger(IndexedMask, out var index) is var error and not HpackError.None)
        {
            return error;
        }

        ref readonly var field = ref Find(index, out var found);
        if (!found)
        {
            return HpackError.IndexOutOfRange;
        }

        if (limits.Take(field.Bytes))
        {
            sink.OnHeader(field.Name, field.Value);
        }

        return HpackError.None;
    }

    private HpackError DecodeLiteral<TSink>(
        ref HpackReader reader, bool toIndex, ref TSink sink, ref HeaderLimits limits)
        where TSink : IHeaderSink
    {
        var mask = toIndex ? LiteralToIndexMask : LiteralMask;
        if (reader.ReadInteger(mask, out var index) is var indexError and not HpackError.None)
        {
            return indexError;
        }

        HeaderName? name = null;
        int nameBytes;
        if (index != 0)
        {
            ref readonly var field = ref Find(index, out var found);
            if (!found)
            {
                return HpackError.IndexOutOfRange;
            }

            (name, nameBytes) = (field.Name, field.Name.Text.Length);
        }
        else
        {
            if (reader.ReadString(out var nameText) is var nameError and not HpackError.None)
            {
                return nameError;
            }

            nameBytes = nameText.Length;
            if (limits.Allow(nameBytes) || (toIndex && nameBytes <= _table.MaxBytes))
            {
                name = KnownHeaders.Get(nameText);
            }
        }

        if (reader.ReadString(out var value) is var valueError and not HpackError.None)
        {
            return valueError;
        }

        Literal(name, nameBytes, value, toIndex, ref sink, ref limits);
        return HpackError.None;
    }

    // The name is null when it alone is too long for both the table and the limits.
    private void Literal<TSink>(HeaderName? name, int nameBytes, ReadOnlySpan<byte> value, bool toIndex,
        ref TSink sink, ref HeaderLimits limits)
        where TSink : IHeaderSink
    {
        var bytes = nameBytes + value.Length + HeaderField.Overhead;
        var isTaken = limits.Take(bytes);
        var isKept = toIndex && bytes <= _table.MaxBytes;
        if (isTaken || isKept)
        {
            var text = HeaderValues.Get(name!, value);
            if (isKept)
            {
                _table.Add(new HeaderField(name!, text, bytes));
            }

            if (isTaken)
            {
                sink.OnHeader(name!, text);
            }
        }

        if (toIndex && !isKept)
        {
            // A field that is larger than the table empties it (RFC 7541, 4.4).
            _table.Clear();
        }
    }

    private ref readonly HeaderField Find(int index, out bool found)
    {
        if (index <= StaticTable.Count)
        {
            found = index > 0;
            return ref StaticTable.Fields[index];
        }

        var dynamicIndex = index - StaticTable.Count - 1;
        found = dynamicIndex < _table.Count;
        return ref found ? ref _table[dynamicIndex] : ref StaticTable.Fields[0];
    }
}
