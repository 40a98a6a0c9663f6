using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ingest.Decoding;

/// <summary>Doubles as <see cref="double.ToString()"/> writes them, the shortest text that says the number.</summary>
/// <remarks>
/// Hot. Numbers that people write, whole ones and those of a few decimals, are written by way of an integer: a decimal
/// of at most 15 digits is the only one of so few that a double stands for, so it is the shortest.
/// </remarks>
internal static class NumberText
{
    /// <summary>Longest text of a finite number, -1.2345678901234567E-300, in bytes.</summary>
    public const int MaxBytes = 24;

    /// <summary>Bytes that may be written over at the target.</summary>
    public const int TargetBytes = 32;

    // Up to it all digits of a whole number are its shortest text; far above it zeros stand in for digits that a double
    // does not have, and then the text has an exponent.
    private const double EndOfPlainDigits = 1e15;

    // Below 1e-4 the text has an exponent; that close to it nobody needs to be quick.
    private const double LeastDecimal = 1e-3;

    private static ReadOnlySpan<byte> Pairs =>
        "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"u8
        + "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"u8;

    /// <summary>Writes a number to a target of <see cref="TargetBytes"/> and returns the length of its text.</summary>
    public static int Write(double number, ref byte target)
    {
        long whole = (long)number;
        double size = Math.Abs(number);
        int at = 0;
        if (whole == number && size < EndOfPlainDigits && (whole != 0 || !double.IsNegative(number)))
        {
            if (whole < 0)
            {
                target = (byte)'-';
                at = 1;
            }

            return at + WriteDigits((ulong)Math.Abs(whole), ref Unsafe.Add(ref target, at));
        }

        if (size is >= LeastDecimal and < 1e9)
        {
            if (number < 0)
            {
                target = (byte)'-';
                at = 1;
            }

            int length = WriteDecimal(size, 1e6, 6, ref Unsafe.Add(ref target, at));
            if (length == 0 && size < 1e3)
            {
                length = WriteDecimal(size, 1e12, 12, ref Unsafe.Add(ref target, at));
            }

            if (length > 0)
            {
                return at + length;
            }
        }

        number.TryFormat(
            MemoryMarshal.CreateSpan(ref target, TargetBytes), out int written, default, CultureInfo.InvariantCulture);
        return written;
    }

    // Returns 0 when the number has more decimals. A quotient is rounded correctly: when it is the number, the decimal is.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int WriteDecimal(double size, double scale, int decimals, ref byte target)
    {
        double scaled = Math.Round(size * scale);
        if (scaled / scale != size)
        {
            return 0;
        }

        (ulong whole, ulong parts) = Math.DivRem((ulong)scaled, (ulong)scale);
        int point = WriteDigits(whole, ref target);
        Unsafe.Add(ref target, point) = (byte)'.';
        for (int pair = point + decimals - 1; pair > point; pair -= 2)
        {
            (parts, ulong digits) = Math.DivRem(parts, 100);
            WritePair(digits, ref Unsafe.Add(ref target, pair));
        }

        int last = point + decimals;
        while (Unsafe.Add(ref target, last) == '0')
        {
            last--;
        }

        return last + 1;
    }

    private static int WriteDigits(ulong number, ref byte target)
    {
        if (number < 10)
        {
            target = (byte)('0' + number);
            return 1;
        }

        int length = 2;
        for (ulong end = 100; number >= end; end *= 10)
        {
            length++;
        }

        int at = length - 2;
        for (; at > 0; at -= 2)
        {
            (number, ulong digits) = Math.DivRem(number, 100);
            WritePair(digits, ref Unsafe.Add(ref target, at));
        }

        if (at == 0)
        {
            WritePair(number, ref target);
        }
        else
        {
            target = (byte)('0' + number);
        }

        return length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WritePair(ulong digits, ref byte target) => Unsafe.WriteUnaligned(
        ref target,
        Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref MemoryMarshal.GetReference(Pairs), (nint)(2 * digits))));
}
