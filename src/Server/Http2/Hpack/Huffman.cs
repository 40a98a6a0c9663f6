namespace Ingest.Server.Http2.Hpack;

/// <summary>
/// HPACK's Huffman code (RFC 7541, appendix B). It is canonical: of each length the codes are consecutive and in the
/// order of the symbols, so the lengths say all.
/// </summary>
internal static class Huffman
{
    private const int Symbols = 257;
    private const int EndOfString = 256;
    private const int MinBits = 5;
    private const int MaxBits = 30;

    // Of what is sent nearly all are codes of up to 8 bits; the rest are compared with the first code of each length.
    private const int FastBits = 9;

    private static readonly ushort[] s_fast = new ushort[1 << FastBits];
    private static readonly ushort[] s_symbols = new ushort[Symbols];

    // Of each length: where its codes end, moved to the left of 32 bits, and its first symbol less its first code.
    private static readonly ulong[] s_ends = new ulong[MaxBits + 1];
    private static readonly int[] s_offsets = new int[MaxBits + 1];

    static Huffman()
    {
        var lengths = Lengths;
        var (code, index) = (0u, 0);
        for (var bits = MinBits; bits <= MaxBits; bits++)
        {
            s_offsets[bits] = index - (int)code;
            for (var symbol = 0; symbol < Symbols; symbol++)
            {
                if (lengths[symbol] == bits)
                {
                    s_symbols[index++] = (ushort)symbol;
                    if (bits <= FastBits)
                    {
                        s_fast.AsSpan((int)code << (FastBits - bits), 1 << (FastBits - bits))
                            .Fill((ushort)((symbol << 4) | bits));
                    }

                    code++;
                }
            }

            s_ends[bits] = (ulong)code << (32 - bits);
            code <<= 1;
        }
    }

    /// <summary>Bits of the code of every symbol, EOS last.</summary>
    public static ReadOnlySpan<byte> Lengths =>
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
        28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
        6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
        21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
        19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30,
    ];

    /// <summary>Bytes that so many encoded ones decode to at most.</summary>
    public static int MaxDecodedBytes(int encodedBytes) => (int)(encodedBytes * 8L / MinBits);

    /// <summary>Decodes a string.</summary>
    /// <param name="encoded">The code with its padding.</param>
    /// <param name="decoded">Room for <see cref="MaxDecodedBytes"/>.</param>
    /// <param name="written">The string's bytes.</param>
    /// <returns>False for EOS within the string, and for wrong padding.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> encoded, Span<byte> decoded, out int written)
    {
        written = 0;
        var (bits, count, position) = (0ul, 0, 0);
        while (true)
        {
            // The bits not yet decoded stand at the left; what is beyond the input's end are ones, as padding is.
            for (; count <= 56 && position < encoded.Length; count += 8)
            {
                bits |= (ulong)encoded[position++] << (56 - count);
            }

            if (count < MinBits)
            {
                break;
            }

            var window = count < MaxBits ? (uint)((bits | (ulong.MaxValue >> count)) >> 32) : (uint)(bits >> 32);
            int symbol, length;
            if (s_fast[window >> (32 - FastBits)] is var entry and not 0)
            {
                (symbol, length) = (entry >> 4, entry & 0xF);
            }
            else
            {
                length = FastBits + 1;
                while (window >= s_ends[length])
                {
                    length++;
                }

                symbol = s_symbols[(int)(window >> (32 - length)) + s_offsets[length]];
            }

            if (length > count)
            {
                // The string's end within a code: padding, if it is ones alone.
                break;
            }

            if (symbol == EndOfString)
            {
                return false;
            }

            decoded[written++] = (byte)symbol;
            bits <<= length;
            count -= length;
        }

        return count < 8 && (count == 0 || bits >> (64 - count) == (1ul << count) - 1);
    }
}
