using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Ingest.Decoding;

// The rules on whole columns: whether all values satisfy them, many at a time.
internal sealed partial class RowCheck
{
    private const long MicrosPerSecond = 1_000_000;

    /// <summary>Whether all numbers of a fixed width satisfy the rule.</summary>
    public bool AreSatisfied(ReadOnlySpan<byte> values, int width) => _kind switch
    {
        Kind.Double => AreInRange<double>(values, _min, _max),
        Kind.Float => AreInRange(values, AtLeast(_min), AtMost(_max)),
        Kind.Zero => width == sizeof(ulong)
            ? !MemoryMarshal.Cast<byte, ulong>(values).Contains(0UL)
            : !MemoryMarshal.Cast<byte, uint>(values).Contains(0U),
        _ => true,
    };

    /// <summary>Whether all numbers of an enum satisfy the rule.</summary>
    public bool AreSatisfied(ReadOnlySpan<int> numbers) => _kind != Kind.Zero || !numbers.Contains(0);

    /// <summary>Whether all timestamps satisfy the rule.</summary>
    /// <param name="micros">Unix microseconds.</param>
    /// <param name="nowSeconds">The server's clock, Unix seconds.</param>
    public bool AreSatisfied(ReadOnlySpan<long> micros, long nowSeconds)
    {
        if (_kind != Kind.Timestamp)
        {
            return true;
        }

        long last = _aheadSeconds < 0 ? EngineMaxSeconds : Math.Min(nowSeconds + _aheadSeconds, EngineMaxSeconds);
        return AreInRange(
            MemoryMarshal.AsBytes(micros), _minSeconds * MicrosPerSecond,
            (last * MicrosPerSecond) + MicrosPerSecond - 1);
    }

    // What is not a number is in no range.
    private static bool AreInRange<T>(ReadOnlySpan<byte> values, T min, T max)
        where T : unmanaged, INumber<T>
    {
        ref byte first = ref MemoryMarshal.GetReference(values);
        Vector256<T> least = Vector256.Create(min);
        Vector256<T> most = Vector256.Create(max);
        Vector256<T> good = Vector256<T>.AllBitsSet;
        int at = 0;
        for (; at <= values.Length - Vector256<byte>.Count; at += Vector256<byte>.Count)
        {
            Vector256<T> some = Vector256.LoadUnsafe(ref first, (nuint)at).As<byte, T>();
            good &= Vector256.GreaterThanOrEqual(some, least) & Vector256.LessThanOrEqual(some, most);
        }

        bool all = good.AsByte() == Vector256<byte>.AllBitsSet;
        for (; at < values.Length; at += Unsafe.SizeOf<T>())
        {
            T value = Unsafe.ReadUnaligned<T>(ref Unsafe.Add(ref first, at));
            all &= value >= min && value <= max;
        }

        return all;
    }

    // The rule is a double; the floats that satisfy it are those from the next one on.
    private static float AtLeast(double min)
    {
        float bound = (float)min;
        return bound < min ? MathF.BitIncrement(bound) : bound;
    }

    private static float AtMost(double max)
    {
        float bound = (float)max;
        return bound > max ? MathF.BitDecrement(bound) : bound;
    }
}
