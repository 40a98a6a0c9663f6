using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ingest.Columns;
using StringColumn = Ingest.Columns.StringColumn;

namespace Ingest.Decoding;

/// <summary>
/// google.protobuf.Struct to a map of text in one pass, as every protobuf library writes it: each entry a name and a
/// value, each value of one kind, no name twice. It declines any other, and what is malformed or no text; the
/// interpreter reads those, and says what is wrong with them or that nothing is.
/// </summary>
/// <remarks>
/// Hot, as <see cref="RowSteps"/>. 0 bytes allocated a row in steady state; watched by DecodeBenchmarks. When it has
/// declined, the caller rewinds the column.
/// </remarks>
internal ref partial struct StructReader
{
    /// <summary>
    /// Objects and lists within each other that it reads; each takes three levels of messages at most, of the
    /// <see cref="Wire.MaxDepth"/> that there may be.
    /// </summary>
    public const int MaxLevels = 16;

    private const byte EntryTag = (1 << 3) | (byte)Wire.Len;
    private const byte NameTag = (1 << 3) | (byte)Wire.Len;
    private const byte ValueTag = (2 << 3) | (byte)Wire.Len;

    // The bytes before a name: the entry's tag and length, and the name's, each length below 0x80.
    private const int HeadBytes = 4;
    private const uint ShortHead = EntryTag | (NameTag << 16);
    private const uint ShortHeadMask = 0x80ff80ff;

    private readonly ref byte _source;
    private readonly int _limit;
    private readonly ArrayColumn _column;
    private readonly LowCardinalityColumn _names;
    private readonly StringColumn _texts;
    private readonly PropertyNames _known;
    private long _nameBudget;

    // The name that was read last.
    private int _nameAt;
    private int _nameLength;

    // Bytes of the JSON text that is being written.
    private int _written;

    private StructReader(ref byte source, int limit, ArrayColumn column, long nameBudget)
    {
        _source = ref source;
        _limit = limit;
        _column = column;
        _names = Unsafe.As<LowCardinalityColumn>(column.Items);
        _texts = Unsafe.As<StringColumn>(column.Values!);
        _known = column.Names!;
        _nameBudget = nameBudget;
    }

    /// <summary>Reads a row's Struct into its column, whose row has been begun.</summary>
    /// <param name="source">The bytes that the Struct lies in.</param>
    /// <param name="at">Where it begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="limit">Where the bytes end that may be read, though not taken for the Struct's.</param>
    /// <param name="column">The column.</param>
    /// <param name="row">The row.</param>
    /// <returns>Whether it was read.</returns>
    public static bool TryRead(ref byte source, int at, int end, int limit, ArrayColumn column, int row)
    {
        column.Names!.BeginRow();
        var reader = new StructReader(ref source, limit, column, (long)(end - at) * RowDecoder.MostNameBytesPerByte);
        if (!reader.TryReadObject(at, end, PropertyNames.Root, MaxLevels))
        {
            return false;
        }

        column.EndRow(row);
        return true;
    }

    private bool TryReadObject(int at, int end, int name, int levels)
    {
        long thisObject = _known.BeginObject();
        int member = name;
        while (at < end)
        {
            at = ReadName(at, end, name, thisObject, ref member, out int last);
            if (at < 0 || !TryReadValue(at, last, member, levels))
            {
                return false;
            }

            at = last;
        }

        return true;
    }

    // An entry up to its value, which is not empty; returns where the value begins and says where both end.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int ReadName(int at, int end, int parent, long thisObject, ref int member, out int last)
    {
        // Nearly all are short: two tags and two lengths of a byte each, the name, and another tag with the rest's length.
        if (end - at > HeadBytes)
        {
            uint head = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref _source, at));
            int nameLength = (int)(head >> 24);
            int nameAt = at + HeadBytes;
            at = nameAt + nameLength + 2;
            last = nameAt - 2 + (byte)(head >> 8);
            if ((head & ShortHeadMask) == ShortHead && last <= end && at < last
                && Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref _source, at - 2)) == (ValueTag | ((last - at) << 8)))
            {
                return TryFindName(nameAt, nameLength, parent, thisObject, ref member) ? at : RowSteps.Decline;
            }

            at = nameAt - HeadBytes;
        }

        return ReadLongName(at, end, parent, thisObject, ref member, out last);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int ReadLongName(int at, int end, int parent, long thisObject, ref int member, out int last)
    {
        last = 0;
        if (Unsafe.Add(ref _source, at) != EntryTag)
        {
            return RowSteps.Decline;
        }

        at = Wire.ReadLength(ref _source, at + 1, end, out int length);
        last = at + length;
        if (at < 0 || at >= last || Unsafe.Add(ref _source, at) != NameTag)
        {
            return RowSteps.Decline;
        }

        at = Wire.ReadLength(ref _source, at + 1, last, out length);
        if (at < 0 || !TryFindName(at, length, parent, thisObject, ref member))
        {
            return RowSteps.Decline;
        }

        at += length;
        if (at >= last || Unsafe.Add(ref _source, at) != ValueTag)
        {
            return RowSteps.Decline;
        }

        at = Wire.ReadLength(ref _source, at + 1, last, out length);
        return at + length == last && length > 0 ? at : RowSteps.Decline;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryFindName(int at, int length, int parent, long thisObject, ref int member)
    {
        (_nameAt, _nameLength) = (at, length);
        member = _known.Find(parent, member, ref Unsafe.Add(ref _source, at), length, _limit - at);
        return member != PropertyNames.None && _known.TryVisit(member, thisObject);
    }

    // Where the content of what has a length begins, when it goes on to the end; else Decline.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int Enter(int at, int end)
    {
        int length = end - at - 1;
        return (uint)length < 0x80 && Unsafe.Add(ref _source, at) == length ? at + 1 : EnterLong(at, end);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly int EnterLong(int at, int end)
    {
        at = Wire.ReadLength(ref _source, at, end, out int length);
        return at >= 0 && at + length == end ? at : RowSteps.Decline;
    }

    private bool TryReadValue(int at, int end, int name, int levels)
    {
        uint tag = Unsafe.Add(ref _source, at++);
        if (tag == StructWire.StructTag)
        {
            at = Enter(at, end);
            return at >= 0 && levels > 0 && TryReadObject(at, end, name, levels - 1);
        }

        _nameBudget -= _known.PathLength(name);
        if (_nameBudget < 0)
        {
            return false;
        }

        int item = _column.TakeItem();
        _names.EnsureRow(item);
        _known.Write(name, _names, item);
        switch (tag)
        {
            case StructWire.StringTag:
                at = Enter(at, end);
                return at >= 0
                    && _texts.TryAppend(ref Unsafe.Add(ref _source, at), end - at, _limit - at, validate: true);

            case StructWire.NumberTag:
                if (end - at != sizeof(double))
                {
                    return false;
                }

                double number = Unsafe.ReadUnaligned<double>(ref Unsafe.Add(ref _source, at));
                _texts.TakeShort(NumberText.Write(number, ref _texts.ShortRoom()));
                return true;

            case StructWire.BoolTag:
                return at + 1 == end && TryAppendBool(Unsafe.Add(ref _source, at));

            case StructWire.NullTag:
                if (at + 1 != end || Unsafe.Add(ref _source, at) != 0)
                {
                    return false;
                }

                Unsafe.WriteUnaligned(ref _texts.ShortRoom(), MemoryMarshal.Read<uint>("null"u8));
                _texts.TakeShort("null"u8.Length);
                return true;

            case StructWire.ListTag:
                _written = 0;
                if (!TryWriteList(at, end, name, levels))
                {
                    return false;
                }

                _texts.TakeLong(_written);
                return true;

            default:
                return false;
        }
    }

    private readonly bool TryAppendBool(byte value)
    {
        if (value > 1)
        {
            return false;
        }

        ref byte room = ref _texts.ShortRoom();
        int length = value == 0 ? "false"u8.Length : "true"u8.Length;
        (value == 0 ? "false"u8 : "true"u8).CopyTo(MemoryMarshal.CreateSpan(ref room, length));
        _texts.TakeShort(length);
        return true;
    }
}
