using System.Runtime.CompilerServices;

namespace Ingest.Decoding;

/// <summary>
/// google.protobuf.Struct and Value on the wire, after <see cref="WireCheck"/> has passed them.
/// </summary>
internal static class StructWire
{
    private const uint EntryTag = (1 << 3) | Wire.Len;
    public const uint NullTag = (1 << 3) | Wire.Varint;
    public const uint NumberTag = (2 << 3) | Wire.I64;
    public const uint StringTag = (3 << 3) | Wire.Len;
    public const uint BoolTag = (4 << 3) | Wire.Varint;
    public const uint StructTag = (5 << 3) | Wire.Len;
    public const uint ListTag = (6 << 3) | Wire.Len;

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

        /// <summary>An object; its occurrences are in a chain.</summary>
        Struct,

        /// <summary>A list; its occurrences are in a chain.</summary>
        List,
    }

    /// <summary>Puts the entries of a Struct on the stack.</summary>
    public static void Gather(ref byte source, int at, int end, List<MapEntry> entries)
    {
        while (at < end)
        {
            at = Wire.ReadTag(ref source, at, end, out uint tag);
            if (tag != EntryTag)
            {
                at = Wire.Skip(ref source, at, end, tag, depth: 0);
                continue;
            }

            at = Wire.ReadLength(ref source, at, end, out int length);
            entries.Add(MapEntries.Read(ref source, at, at + length, FieldOp.LowCardinality, Wire.Len));
            at += length;
        }
    }

    /// <summary>Reads a Value; the occurrences of its object or list are added to a chain that is empty.</summary>
    public static Value Read(ref byte source, int at, int end, Occurrences occurrences, int chain)
    {
        Value value = default;
        while (at < end)
        {
            at = Wire.ReadTag(ref source, at, end, out uint tag);
            Kind kind = KindOf(tag);
            if (kind == Kind.None)
            {
                at = Wire.Skip(ref source, at, end, tag, depth: 0);
                continue;
            }

            // Another member of the oneof replaces what was there; the same message again is merged.
            if (kind != value.Kind)
            {
                occurrences.Clear(chain);
            }

            value = new Value { Kind = kind };
            switch (kind)
            {
                case Kind.Number:
                    value.Number = Unsafe.ReadUnaligned<double>(ref Unsafe.Add(ref source, at));
                    at += sizeof(double);
                    break;
                case Kind.Null:
                case Kind.Bool:
                    at = Wire.ReadVarint(ref source, at, end, out ulong number);
                    value.Bool = number != 0;
                    break;
                default:
                    value.At = Wire.ReadLength(ref source, at, end, out value.Length);
                    at = value.At + value.Length;
                    if (kind != Kind.String)
                    {
                        occurrences.Add(chain, value.At, at);
                    }

                    break;
            }
        }

        return value;
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

    /// <summary>A Value.</summary>
    public struct Value
    {
        public Kind Kind;

        public double Number;

        public bool Bool;

        /// <summary>Where text begins.</summary>
        public int At;

        /// <summary>Length of text.</summary>
        public int Length;
    }
}
