using System.Numerics;
using System.Runtime.CompilerServices;
using Ingest.Schema;

namespace Ingest.Decoding;

/// <summary>
/// The protobuf wire format: tags, varints, lengths. Every reader takes a place and an end and returns the place after
/// what it read, or <see cref="Malformed"/>; nothing is read beyond the end.
/// </summary>
/// <remarks>Hot: runs on the thread that decodes a message; allocates nothing.</remarks>
internal static class Wire
{
    public const int Malformed = -1;

    public const uint Varint = 0;
    public const uint I64 = 1;
    public const uint Len = 2;
    public const uint StartGroup = 3;
    public const uint EndGroup = 4;
    public const uint I32 = 5;

    /// <summary>Deepest nesting of messages that is read, as in Google.Protobuf.</summary>
    public const int MaxDepth = 100;

    private const int MaxVarintBytes = 10;

    public static uint Tag(int fieldNumber, uint wireType) => ((uint)fieldNumber << 3) | wireType;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ReadVarint(ref byte source, int at, int end, out ulong value)
    {
        if (at < end)
        {
            ulong first = Unsafe.Add(ref source, at);
            if (first < 0x80)
            {
                value = first;
                return at + 1;
            }
        }

        return ReadLongVarint(ref source, at, end, out value);
    }

    /// <summary>Reads a tag; field number 0 is malformed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ReadTag(ref byte source, int at, int end, out uint tag)
    {
        at = ReadVarint(ref source, at, end, out ulong value);
        tag = (uint)value;
        return tag >= 8 ? at : Malformed;
    }

    /// <summary>
    /// Reads the length of what follows and checks that it is there. A length is an int32 varint: of a longer one the
    /// low 32 bits count, as everywhere in protobuf.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ReadLength(ref byte source, int at, int end, out int length)
    {
        at = ReadVarint(ref source, at, end, out ulong value);
        length = (int)value;
        return at >= 0 && (uint)length <= (uint)(end - at) ? at : Malformed;
    }

    /// <summary>Wire type of a value.</summary>
    public static uint TypeOf(ValueKind kind) => kind switch
    {
        ValueKind.Fixed32 or ValueKind.SFixed32 or ValueKind.Float => I32,
        ValueKind.Fixed64 or ValueKind.SFixed64 or ValueKind.Double => I64,
        ValueKind.String or ValueKind.Bytes or ValueKind.Timestamp or ValueKind.Duration or ValueKind.Message => Len,
        _ => Varint,
    };

    /// <summary>The number that a varint says, in the bits of the type: 8 for a bool, 32 or 64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ValueOf(FieldOp op, ulong varint) => op switch
    {
        FieldOp.Bool => varint != 0 ? 1UL : 0UL,
        FieldOp.Varint32 => (uint)varint,
        FieldOp.ZigZag32 => ((uint)varint >> 1) ^ (0 - ((uint)varint & 1)),
        FieldOp.ZigZag64 => (varint >> 1) ^ (0 - (varint & 1)),
        _ => varint,
    };

    /// <summary>Skips the value of a field that is not known.</summary>
    public static int Skip(ref byte source, int at, int end, uint tag, int depth)
    {
        switch (tag & 7)
        {
            case Varint:
                return ReadVarint(ref source, at, end, out _);
            case I64:
                return end - at >= sizeof(ulong) ? at + sizeof(ulong) : Malformed;
            case I32:
                return end - at >= sizeof(uint) ? at + sizeof(uint) : Malformed;
            case Len:
                at = ReadLength(ref source, at, end, out int length);
                return at < 0 ? Malformed : at + length;
            case StartGroup:
                return SkipGroup(ref source, at, end, tag, depth);
            default:
                return Malformed;
        }
    }

    private static int SkipGroup(ref byte source, int at, int end, uint start, int depth)
    {
        if (depth >= MaxDepth)
        {
            return Malformed;
        }

        while (true)
        {
            at = ReadTag(ref source, at, end, out uint tag);
            if (at < 0 || (tag & 7) == EndGroup)
            {
                return at >= 0 && tag >> 3 == start >> 3 ? at : Malformed;
            }

            at = Skip(ref source, at, end, tag, depth + 1);
            if (at < 0)
            {
                return Malformed;
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int ReadLongVarint(ref byte source, int at, int end, out ulong value)
    {
        // Up to eight bytes at once: the first without the high bit is the last one; its groups of seven bits are then
        // pushed together, two, four and eight at a time.
        if (at >= 0 && end - at >= sizeof(ulong))
        {
            ulong word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, at));
            ulong last = ~word & 0x8080808080808080;
            if (last != 0)
            {
                word &= (last ^ (last - 1)) & 0x7f7f7f7f7f7f7f7f;
                word = (word & 0x007f007f007f007f) | ((word & 0x7f007f007f007f00) >> 1);
                word = (word & 0x00003fff00003fff) | ((word & 0x3fff00003fff0000) >> 2);
                value = (word & 0x000000000fffffff) | ((word & 0x0fffffff00000000) >> 4);
                return at + (BitOperations.TrailingZeroCount(last) >> 3) + 1;
            }
        }

        return ReadVarintByByte(ref source, at, end, out value);
    }

    private static int ReadVarintByByte(ref byte source, int at, int end, out ulong value)
    {
        value = 0;
        int last = Math.Min(end, at + MaxVarintBytes);
        for (int shift = 0; at < last; shift += 7)
        {
            ulong current = Unsafe.Add(ref source, at++);
            value |= (current & 0x7f) << shift;
            if (current < 0x80)
            {
                return at;
            }
        }

        return Malformed;
    }
}
