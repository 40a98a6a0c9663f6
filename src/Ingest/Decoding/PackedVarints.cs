using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Ingest.Decoding;

/// <summary>Lists of varints, packed: counted and read many at a time.</summary>
/// <remarks>Hot: on the thread that reads a stream; allocates nothing. Watched by ColumnsBenchmarks.</remarks>
internal static class PackedVarints
{
    // High bits of sixteen bytes: every other byte goes on.
    private const uint EightOfTwoBytes = 0x5555;

    /// <summary>How many there are: bytes without the high bit.</summary>
    public static int Count(ReadOnlySpan<byte> source)
    {
        ref byte first = ref MemoryMarshal.GetReference(source);
        int count = 0;
        int at = 0;
        for (; at <= source.Length - Vector256<byte>.Count; at += Vector256<byte>.Count)
        {
            count += BitOperations.PopCount(~Vector256.LoadUnsafe(ref first, (nuint)at).ExtractMostSignificantBits());
        }

        for (; at < source.Length; at++)
        {
            count += source[at] < 0x80 ? 1 : 0;
        }

        return count;
    }

    /// <summary>Reads numbers of 32 bits; of longer ones the low bits count.</summary>
    /// <param name="source">As many varints as the target has elements, and nothing else.</param>
    /// <param name="target">Takes them.</param>
    /// <returns>False when one is longer than ten bytes.</returns>
    public static bool TryRead(ReadOnlySpan<byte> source, Span<int> target)
    {
        ref byte first = ref MemoryMarshal.GetReference(source);
        ref int place = ref MemoryMarshal.GetReference(target);
        int end = source.Length;
        int at = 0;
        for (int i = 0; i < target.Length;)
        {
            if (end - at >= Vector128<byte>.Count)
            {
                Vector128<byte> bytes = Vector128.LoadUnsafe(ref first, (nuint)at);
                if (bytes.ExtractMostSignificantBits() == 0)
                {
                    // Sixteen of one byte each.
                    (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(bytes);
                    (Vector128<uint> a, Vector128<uint> b) = Vector128.Widen(low);
                    (Vector128<uint> c, Vector128<uint> d) = Vector128.Widen(high);
                    a.AsInt32().StoreUnsafe(ref place, (nuint)i);
                    b.AsInt32().StoreUnsafe(ref place, (nuint)i + 4);
                    c.AsInt32().StoreUnsafe(ref place, (nuint)i + 8);
                    d.AsInt32().StoreUnsafe(ref place, (nuint)i + 12);
                    at += Vector128<byte>.Count;
                    i += Vector128<byte>.Count;
                    continue;
                }

                ulong word = bytes.AsUInt64().ToScalar();
                if ((word & 0x8080808080808080) == 0x0080008000800080)
                {
                    // Four of two bytes each.
                    word = (word & 0x007f007f007f007f) | ((word & 0x7f007f007f007f00) >> 1);
                    Vector128<uint> four = Vector128.WidenLower(Vector128.CreateScalar(word).AsUInt16());
                    four.AsInt32().StoreUnsafe(ref place, (nuint)i);
                    at += sizeof(ulong);
                    i += 4;
                    continue;
                }
            }

            at = Wire.ReadVarint(ref first, at, end, out ulong number);
            if (at < 0)
            {
                return false;
            }

            Unsafe.Add(ref place, i++) = (int)number;
        }

        return true;
    }

    /// <summary>Reads numbers of 64 bits.</summary>
    /// <inheritdoc cref="TryRead(ReadOnlySpan{byte}, Span{int})"/>
    public static bool TryRead(ReadOnlySpan<byte> source, Span<long> target)
    {
        ref byte first = ref MemoryMarshal.GetReference(source);
        int at = 0;
        foreach (ref long place in target)
        {
            at = Wire.ReadVarint(ref first, at, source.Length, out ulong number);
            if (at < 0)
            {
                return false;
            }

            place = (long)number;
        }

        return true;
    }

    /// <summary>Reads differences, zigzag, and adds each to the sum of those before it, modulo 2^64.</summary>
    /// <param name="source">As many varints as the target has elements, and nothing else.</param>
    /// <param name="start">What the first difference is added to.</param>
    /// <param name="target">Takes the sums.</param>
    /// <returns>False when one is longer than ten bytes.</returns>
    public static bool TryReadSums(ReadOnlySpan<byte> source, long start, Span<long> target)
    {
        ref byte first = ref MemoryMarshal.GetReference(source);
        ref long place = ref MemoryMarshal.GetReference(target);
        int at = 0;
        for (int i = 0; i < target.Length;)
        {
            if (source.Length - at >= Vector128<byte>.Count)
            {
                Vector128<byte> bytes = Vector128.LoadUnsafe(ref first, (nuint)at);
                uint longer = bytes.ExtractMostSignificantBits();
                if (longer == EightOfTwoBytes)
                {
                    Vector128<ushort> pairs = bytes.AsUInt16();
                    pairs = (pairs & Vector128.Create((ushort)0x7f)) | ((pairs & Vector128.Create((ushort)0x7f00)) >>> 1);
                    start = AddEight(pairs, start, ref Unsafe.Add(ref place, i));
                    at += Vector128<byte>.Count;
                    i += 8;
                    continue;
                }

                if ((longer & 0xff) == 0)
                {
                    // Eight of one byte each.
                    start = AddEight(Vector128.WidenLower(bytes), start, ref Unsafe.Add(ref place, i));
                    at += 8;
                    i += 8;
                    continue;
                }
            }

            at = Wire.ReadVarint(ref first, at, source.Length, out ulong number);
            if (at < 0)
            {
                return false;
            }

            start = unchecked(start + (long)((number >> 1) ^ (0 - (number & 1))));
            Unsafe.Add(ref place, i++) = start;
        }

        return true;
    }

    // The sums up to each of eight differences, zigzag and of 14 bits at most, so that eight of them fit in 32.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long AddEight(Vector128<ushort> zigzag, long start, ref long place)
    {
        Vector128<short> differences =
            (zigzag >>> 1).AsInt16() ^ -(zigzag & Vector128<ushort>.One).AsInt16();
        (Vector128<int> low, Vector128<int> high) = Vector128.Widen(differences);
        low = SumsOf(low);
        high = SumsOf(high) + Vector128.Create(low[3]);
        Vector256<long> before = Vector256.Create(start);
        (Vector128<long> a, Vector128<long> b) = Vector128.Widen(low);
        (Vector128<long> c, Vector128<long> d) = Vector128.Widen(high);
        (before + Vector256.Create(a, b)).StoreUnsafe(ref place);
        (before + Vector256.Create(c, d)).StoreUnsafe(ref place, 4);
        return unchecked(start + high[3]);
    }

    // Each element and those before it: first with its neighbour, then with the pair before.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> SumsOf(Vector128<int> values)
    {
        values += Vector128.Shuffle(values, Vector128.Create(-1, 0, 1, 2));
        return values + Vector128.Shuffle(values, Vector128.Create(-1, -1, 0, 1));
    }
}
