using System.Buffers;

namespace Ingest.Server.Http2.Hpack;

/// <summary>Reads the integers and strings of a header block (RFC 7541, 5).</summary>
/// <param name="block">The block.</param>
/// <param name="scratch">Room for decoded strings; a larger one is rented when it does not do.</param>
internal ref struct HpackReader(ReadOnlySpan<byte> block, Span<byte> scratch)
{
    private const int LengthMask = 0x7F;
    private const int MaxShift = 28;

    private ReadOnlySpan<byte> _rest = block;
    private Span<byte> _scratch = scratch;
    private byte[]? _rented;

    /// <summary>Whether all has been read.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>The next byte, when not at the end.</summary>
    public readonly byte Next => _rest[0];

    /// <summary>Gives back what was rented.</summary>
    public void Dispose()
    {
        if (_rented is { } rented)
        {
            _rented = null;
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Reads an integer of up to 28 bits beyond its prefix.</summary>
    /// <param name="mask">The bits of the first byte that belong to it.</param>
    /// <param name="value">The integer, 0 to 2^28 + 126.</param>
    public HpackError ReadInteger(int mask, out int value)
    {
        value = 0;
        if (_rest.IsEmpty)
        {
            return HpackError.Truncated;
        }

        value = _rest[0] & mask;
        _rest = _rest[1..];
        return value < mask ? HpackError.None : ReadRest(ref value);
    }

    /// <summary>Reads a string, Huffman code or not; it is valid until the next one is read.</summary>
    public HpackError ReadString(out ReadOnlySpan<byte> text)
    {
        text = default;
        var isHuffman = !_rest.IsEmpty && (_rest[0] & ~LengthMask) != 0;
        if (ReadInteger(LengthMask, out var length) is var error and not HpackError.None)
        {
            return error;
        }

        if (length > _rest.Length)
        {
            return HpackError.Truncated;
        }

        var octets = _rest[..length];
        _rest = _rest[length..];
        if (isHuffman)
        {
            return Decode(octets, out text);
        }

        text = octets;
        return HpackError.None;
    }

    private HpackError ReadRest(ref int value)
    {
        for (var shift = 0; shift < MaxShift; shift += 7)
        {
            if (_rest.IsEmpty)
            {
                return HpackError.Truncated;
            }

            var octet = _rest[0];
            _rest = _rest[1..];
            value += (octet & 0x7F) << shift;
            if (octet < 0x80)
            {
                return HpackError.None;
            }
        }

        return HpackError.IntegerTooLarge;
    }

    private HpackError Decode(ReadOnlySpan<byte> encoded, out ReadOnlySpan<byte> text)
    {
        text = default;
        var room = Huffman.MaxDecodedBytes(encoded.Length);
        if (room > _scratch.Length)
        {
            Dispose();
            _scratch = _rented = ArrayPool<byte>.Shared.Rent(room);
        }

        if (!Huffman.TryDecode(encoded, _scratch, out var written))
        {
            return HpackError.BadHuffman;
        }

        text = _scratch[..written];
        return HpackError.None;
    }
}
