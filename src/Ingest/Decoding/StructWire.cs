using System.Runtime.CompilerServices;

namespace Ingest.Decoding;

/// <summary>google.protobuf.Struct, Value and ListValue on the wire.</summary>
internal static class StructWire
{
    private const uint EntryTag = (1 << 3) | Wire.Len;
    private const uint NullTag = (1 << 3) | Wire.Varint;
    private const uint NumberTag = (2 << 3) | Wire.I64;
    private const uint StringTag = (3 << 3) | Wire.Len;
    private const uint BoolTag = (4 << 3) | Wire.Varint;
    private const uint StructTag = (5 << 3) | Wire.Len;
    private const uint ListTag = (6 << 3) | Wire.Len;

    /// <summary>What a value is.</summary>
    public enum Kind
    {
        /// <summary>Nothing was set.</summary>
        None,

        /// <summary>null.</summary>
        Null,

        /// <summary>A number.</summary>
        Number,

        /// <summary>Text.</summary>
        String,

        /// <summary>true or false.</summary>
        Bool,

        /// <summary>An object; its entries are on the stack of the scratch.</summary>
        Struct,

        /// <summary>A list; its values are on the stack of the scratch, as entries without keys.</summary>
        List,
    }

    /// <summary>Puts the entries of a Struct on the stack.</summary>
    public static bool TryGather(ref byte source, int at, int end, int depth, RowScratch scratch)
    {
        while (at < end)
        {
            at = Wire.ReadTag(ref source, at, end, out uint tag);
            if (at < 0)
            {
                return false;
            }

            if (tag != EntryTag)
            {
                at = Wire.Skip(ref source, at, end, tag, depth);
            }
            else
            {
                at = Wire.ReadLength(ref source, at, end, out int length);
                if (at < 0 || depth >= Wire.MaxDepth || !MapEntries.TryRead(
                    ref source, at, at + length, FieldOp.LowCardinality, Wire.Len, depth + 1, out var entry))
                {
                    return false;
                }

                scratch.Entries.Add(entry);
                at += length;
            }

            if (at < 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads the Value of an entry; entries of a struct and items of a list go on the stack.</summary>
    public static bool TryReadValue(
        ref byte source, in RowScratch.Entry entry, RowScratch scratch, out Value value)
    {
        value = default;
        if (entry.ValueAt < 0)
        {
            return true;
        }

        int at = Wire.ReadLength(ref source, entry.ValueAt, entry.ValueEnd, out int length);
        return at >= 0 && entry.Depth < Wire.MaxDepth
            && TryReadValue(ref source, at, at + length, entry.Depth + 1, scratch, out value);
    }

    /// <summary>Reads a Value; entries of a struct and items of a list go on the stack.</summary>
    public static bool TryReadValue(
        ref byte source, int at, int end, int depth, RowScratch scratch, out Value value)
    {
        value = default;
        int nested = scratch.Entries.Count;
        while (at < end)
        {
            at = Wire.ReadTag(ref source, at, end, out uint tag);
            if (at < 0)
            {
                return false;
            }

            Kind kind = KindOf(tag);
            if (kind == Kind.None)
            {
                at = Wire.Skip(ref source, at, end, tag, depth);
            }
            else
            {
                // Another member of the oneof replaces what was there; the same message again is merged.
                if (kind != value.Kind)
                {
                    scratch.Entries.RemoveRange(nested, scratch.Entries.Count - nested);
                }

                at = ReadMember(ref source, at, end, depth, kind, scratch, out value);
            }

            if (at < 0)
            {
                return false;
            }
        }

        return true;
    }

    private static Kind KindOf(uint tag) => tag switch
    {
        NullTag => Kind.Null,
        NumberTag => Kind.Number,
        StringTag => Kind.String,
        BoolTag => Kind.Bool,
        StructTag => Kind.Struct,
        ListTag => Kind.List,
        _ => Kind.None,
    };

    private static int ReadMember(
        ref byte source, int at, int end, int depth, Kind kind, RowScratch scratch, out Value value)
    {
        value = new Value { Kind = kind };
        switch (kind)
        {
            case Kind.Null:
                return Wire.ReadVarint(ref source, at, end, out _);
            case Kind.Bool:
                at = Wire.ReadVarint(ref source, at, end, out ulong number);
                value.Bool = number != 0;
                return at;
            case Kind.Number:
                if (end - at < sizeof(double))
                {
                    return Wire.Malformed;
                }

                value.Number = Unsafe.ReadUnaligned<double>(ref Unsafe.Add(ref source, at));
                return at + sizeof(double);
        }

        at = Wire.ReadLength(ref source, at, end, out int length);
        if (at < 0)
        {
            return Wire.Malformed;
        }

        (value.At, value.Length) = (at, length);
        bool read = kind == Kind.String || (depth < Wire.MaxDepth && (kind == Kind.Struct
            ? TryGather(ref source, at, at + length, depth + 1, scratch)
            : TryGatherItems(ref source, at, at + length, depth + 1, scratch)));
        return read ? at + length : Wire.Malformed;
    }

    /// <summary>Puts the values of a ListValue on the stack.</summary>
    public static bool TryGatherItems(ref byte source, int at, int end, int depth, RowScratch scratch)
    {
        while (at < end)
        {
            at = Wire.ReadTag(ref source, at, end, out uint tag);
            if (at < 0)
            {
                return false;
            }

            if (tag == EntryTag)
            {
                scratch.Entries.Add(new RowScratch.Entry { ValueAt = at, ValueEnd = end, Depth = depth, Live = true });
            }

            at = Wire.Skip(ref source, at, end, tag, depth);
            if (at < 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A Value.</summary>
    public record struct Value
    {
        public Kind Kind { get; init; }

        public double Number { get; set; }

        public bool Bool { get; set; }

        /// <summary>Where text begins.</summary>
        public int At { get; set; }

        /// <summary>Length of text.</summary>
        public int Length { get; set; }
    }
}
