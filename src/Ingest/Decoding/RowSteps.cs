using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ingest.Columns;
using StringColumn = Ingest.Columns.StringColumn;

namespace Ingest.Decoding;

/// <summary>
/// The steps of a <see cref="RowProgram"/>: each reads one field of a row when it comes next, checks its rule and writes
/// its column, or writes the default when something else comes next.
/// </summary>
/// <remarks>
/// Hot: every step is inlined into the program with its tag, rule and kind as constants. Each returns the place after
/// what it read, or <see cref="Decline"/>; a row that is declined is read again by the interpreter, which says what is
/// wrong with it or that nothing is.
/// </remarks>
internal static class RowSteps
{
    /// <summary>The row is not one that the program reads.</summary>
    public const int Decline = -1;

    private const int NanosPerSecond = 1_000_000_000;
    private const byte SecondsTag = (1 << 3) | (byte)Wire.Varint;
    private const byte NanosTag = (2 << 3) | (byte)Wire.Varint;

    /// <summary>Whether a tag comes next.</summary>
    /// <param name="source">The row.</param>
    /// <param name="at">The place.</param>
    /// <param name="end">Where the message ends.</param>
    /// <param name="tag">The tag's bytes on the wire, the first one lowest.</param>
    /// <param name="tagBytes">1 or 2.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsNext(ref byte source, int at, int end, int tag, int tagBytes) => tagBytes == 1
        ? at < end && Unsafe.Add(ref source, at) == tag
        : at < end - 1 && Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref source, at)) == tag;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Fixed64(
        ref byte source, int at, int end, Column column, int row, int tag, int tagBytes, bool required)
    {
        ref ulong slot = ref Unsafe.As<FixedColumn>(column).Slot<ulong>(row);
        if (!IsNext(ref source, at, end, tag, tagBytes))
        {
            slot = 0;
            return required ? Decline : at;
        }

        at += tagBytes;
        if (end - at < sizeof(ulong))
        {
            return Decline;
        }

        slot = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, at));
        return required && slot == 0 ? Decline : at + sizeof(ulong);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Fixed32(
        ref byte source, int at, int end, Column column, int row, int tag, int tagBytes, bool required)
    {
        ref uint slot = ref Unsafe.As<FixedColumn>(column).Slot<uint>(row);
        if (!IsNext(ref source, at, end, tag, tagBytes))
        {
            slot = 0;
            return required ? Decline : at;
        }

        at += tagBytes;
        if (end - at < sizeof(uint))
        {
            return Decline;
        }

        slot = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref source, at));
        return required && slot == 0 ? Decline : at + sizeof(uint);
    }

    /// <summary>A double that has to lie between two bounds, NaN outside them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Double(
        ref byte source, int at, int end, Column column, int row, int tag, int tagBytes, bool required,
        double min, double max)
    {
        at = Fixed64(ref source, at, end, column, row, tag, tagBytes, required);
        double value = Unsafe.As<FixedColumn>(column).Slot<double>(row);
        return value >= min && value <= max ? at : Decline;
    }

    /// <summary>A float that has to lie between two bounds, NaN outside them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Float(
        ref byte source, int at, int end, Column column, int row, int tag, int tagBytes, bool required,
        double min, double max)
    {
        at = Fixed32(ref source, at, end, column, row, tag, tagBytes, required);
        double value = Unsafe.As<FixedColumn>(column).Slot<float>(row);
        return value >= min && value <= max ? at : Decline;
    }

    /// <summary>A number in a varint, to one, four or eight bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Varint(
        ref byte source, int at, int end, Column column, int row, int tag, int tagBytes, bool required, FieldOp op)
    {
        ulong value = 0;
        if (IsNext(ref source, at, end, tag, tagBytes))
        {
            at = Wire.ReadVarint(ref source, at + tagBytes, end, out value);
            value = Wire.ValueOf(op, value);
        }

        switch (op)
        {
            case FieldOp.Bool:
                Unsafe.As<FixedColumn>(column).Slot<byte>(row) = (byte)value;
                break;
            case FieldOp.Varint32 or FieldOp.ZigZag32:
                Unsafe.As<FixedColumn>(column).Slot<uint>(row) = (uint)value;
                break;
            default:
                Unsafe.As<FixedColumn>(column).Slot<ulong>(row) = value;
                break;
        }

        return required && value == 0 ? Decline : at;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Enum(
        ref byte source, int at, int end, Column column, int row, int tag, int tagBytes, bool required)
    {
        ulong number = 0;
        if (IsNext(ref source, at, end, tag, tagBytes))
        {
            at = Wire.ReadVarint(ref source, at + tagBytes, end, out number);
        }

        Unsafe.As<LowCardinalityColumn>(column).WriteEnum(row, (int)number);
        return required && (int)number == 0 ? Decline : at;
    }

    /// <summary>Text or bytes to a column of strings; up to <paramref name="limit"/> the source may be read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int String(
        ref byte source, int at, int end, int limit, Column column, int row, int tag, int tagBytes, bool required,
        int maxBytes, bool validate)
    {
        StringColumn text = Unsafe.As<StringColumn>(column);
        if (!IsNext(ref source, at, end, tag, tagBytes))
        {
            text.WriteDefault(row);
            return required ? Decline : at;
        }

        at = Wire.ReadLength(ref source, at + tagBytes, end, out int length);
        if (at < 0 || length > maxBytes || (required && length == 0))
        {
            text.BeginRow();
            return Decline;
        }

        return text.TryAppend(ref Unsafe.Add(ref source, at), length, limit - at, validate) ? at + length : Decline;
    }

    /// <summary>Text or bytes to a dictionary; up to <paramref name="limit"/> the source may be read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LowCardinality(
        ref byte source, int at, int end, int limit, Column column, int row, int tag, int tagBytes, bool required,
        int maxBytes, bool validate)
    {
        LowCardinalityColumn text = Unsafe.As<LowCardinalityColumn>(column);
        if (!IsNext(ref source, at, end, tag, tagBytes))
        {
            text.WriteDefault(row);
            return required ? Decline : at;
        }

        at = Wire.ReadLength(ref source, at + tagBytes, end, out int length);
        if (at < 0 || length > maxBytes || (required && length == 0)
            || !text.TryWrite(row, MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref source, at), length), validate))
        {
            return Decline;
        }

        return at + length;
    }

    /// <summary>A list of text or bytes.</summary>
    public static int List(
        ref byte source, int at, int end, int limit, Column column, int row, int tag, int tagBytes, bool required,
        bool validate)
    {
        ArrayColumn list = Unsafe.As<ArrayColumn>(column);
        list.BeginRow(row);
        if (required && !IsNext(ref source, at, end, tag, tagBytes))
        {
            return Decline;
        }

        while (IsNext(ref source, at, end, tag, tagBytes))
        {
            at = Wire.ReadLength(ref source, at + tagBytes, end, out int length);
            if (at < 0)
            {
                return Decline;
            }

            int item = list.AddItem(row);
            bool written = list.Items is StringColumn text
                ? text.TryAppend(ref Unsafe.Add(ref source, at), length, limit - at, validate)
                : Unsafe.As<LowCardinalityColumn>(list.Items).TryWrite(
                    item, MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref source, at), length), validate);
            if (!written)
            {
                return Decline;
            }

            at += length;
        }

        return at;
    }

    /// <summary>A Struct to a map of text. In two parts, which are one, it is declined.</summary>
    public static int Struct(
        ref byte source, int at, int end, int limit, Column column, int row, int tag, int tagBytes, bool required)
    {
        ArrayColumn map = Unsafe.As<ArrayColumn>(column);
        map.BeginRow(row);
        if (!IsNext(ref source, at, end, tag, tagBytes))
        {
            return required ? Decline : at;
        }

        at = Wire.ReadLength(ref source, at + tagBytes, end, out int length);
        return at >= 0 && StructReader.TryRead(ref source, at, at + length, limit, map, row) ? at + length : Decline;
    }

    /// <summary>
    /// A timestamp to microseconds; <paramref name="aheadSeconds"/> below 0 sets no bound by the clock.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Timestamp(
        ref byte source, int at, int end, Column column, int row, int tag, int tagBytes, bool required,
        long minSeconds, long maxSeconds, long nowSeconds, long aheadSeconds)
    {
        ref long slot = ref Unsafe.As<FixedColumn>(column).Slot<long>(row);
        if (!IsNext(ref source, at, end, tag, tagBytes))
        {
            slot = 0;
            return required ? Decline : at;
        }

        at = Wire.ReadLength(ref source, at + tagBytes, end, out int length);
        if (at < 0)
        {
            return Decline;
        }

        int last = at + length;
        ulong seconds = 0;
        ulong nanos = 0;
        if (IsNext(ref source, at, last, SecondsTag, 1))
        {
            at = Wire.ReadVarint(ref source, at + 1, last, out seconds);
        }

        if (at >= 0 && IsNext(ref source, at, last, NanosTag, 1))
        {
            at = Wire.ReadVarint(ref source, at + 1, last, out nanos);
        }

        if (aheadSeconds >= 0)
        {
            maxSeconds = Math.Min(nowSeconds + aheadSeconds, maxSeconds);
        }

        slot = unchecked(((long)seconds * 1_000_000) + ((uint)nanos / 1000));
        return at == last && (long)seconds >= minSeconds && (long)seconds <= maxSeconds && (uint)nanos < NanosPerSecond
            ? at
            : Decline;
    }

    /// <summary>Reads the length of a nested message and returns the place after it, or <see cref="Decline"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Enter(ref byte source, int at, int end, int tagBytes, out int last)
    {
        at = Wire.ReadLength(ref source, at + tagBytes, end, out int length);
        last = at + length;
        return at;
    }
}
