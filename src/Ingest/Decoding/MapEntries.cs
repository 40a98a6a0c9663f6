using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ingest.Columns;

namespace Ingest.Decoding;

/// <summary>Entries of maps on the wire: messages of a key, field 1, and a value, field 2.</summary>
internal static class MapEntries
{
    private const int FewEntries = 16;

    /// <summary>Finds key and value of an entry; of each the last one counts, and either may be absent.</summary>
    public static bool TryRead(
        ref byte source, int at, int end, FieldOp keyOp, uint valueWireType, int depth, out RowScratch.Entry entry)
    {
        entry = new RowScratch.Entry
        {
            HasTextKey = keyOp == FieldOp.LowCardinality,
            KeyAt = at,
            ValueAt = -1,
            ValueEnd = end,
            Depth = depth,
            Live = true,
        };
        uint keyTag = Wire.Tag(1, keyOp switch
        {
            FieldOp.Fixed32 => Wire.I32,
            FieldOp.Fixed64 => Wire.I64,
            FieldOp.LowCardinality => Wire.Len,
            _ => Wire.Varint,
        });
        uint valueTag = Wire.Tag(2, valueWireType);
        while (at < end)
        {
            at = Wire.ReadTag(ref source, at, end, out uint tag);
            if (at < 0)
            {
                return false;
            }

            if (tag == valueTag)
            {
                entry.ValueAt = at;
            }

            if (tag != keyTag)
            {
                at = Wire.Skip(ref source, at, end, tag, depth + 1);
            }
            else if (keyOp == FieldOp.LowCardinality)
            {
                at = Wire.ReadLength(ref source, at, end, out int length);
                (entry.KeyAt, entry.KeyLength) = (at, length);
                at = at < 0 ? at : at + length;
            }
            else
            {
                at = ReadKeyNumber(keyOp, ref source, at, end, out ulong number);
                entry.Key = number;
            }

            if (at < 0)
            {
                return false;
            }
        }

        return true;
    }

    // Keys that are equal in the column are equal here: a 32-bit key is compared in 32 bits, a bool as 0 or 1.
    private static int ReadKeyNumber(FieldOp op, ref byte source, int at, int end, out ulong number)
    {
        number = 0;
        switch (op)
        {
            case FieldOp.Fixed32:
                if (end - at < sizeof(uint))
                {
                    return Wire.Malformed;
                }

                number = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref source, at));
                return at + sizeof(uint);
            case FieldOp.Fixed64:
                if (end - at < sizeof(ulong))
                {
                    return Wire.Malformed;
                }

                number = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, at));
                return at + sizeof(ulong);
            default:
                at = Wire.ReadVarint(ref source, at, end, out number);
                number = op switch
                {
                    FieldOp.Bool => number != 0 ? 1UL : 0UL,
                    FieldOp.Varint32 or FieldOp.ZigZag32 => (uint)number,
                    _ => number,
                };
                return at;
        }
    }

    /// <summary>Of entries with the same key the last one stays alive.</summary>
    public static void KeepLastOfKey(RowScratch scratch, ref byte source, int first)
    {
        Span<RowScratch.Entry> entries = CollectionsMarshal.AsSpan(scratch.Entries)[first..];
        if (entries.Length > FewEntries)
        {
            KeepLastOfManyKeys(scratch, ref source, entries);
            return;
        }

        for (int i = 1; i < entries.Length; i++)
        {
            ReadOnlySpan<byte> key = KeyOf(ref source, entries[i]);
            for (int j = 0; j < i; j++)
            {
                if (entries[j].Key == entries[i].Key && key.SequenceEqual(KeyOf(ref source, entries[j])))
                {
                    entries[j].Live = false;
                }
            }
        }
    }

    private static void KeepLastOfManyKeys(RowScratch scratch, ref byte source, Span<RowScratch.Entry> entries)
    {
        KeyDictionary keys = scratch.Keys;
        List<int> lastOfKey = scratch.LastOfKey;
        keys.Reset();
        lastOfKey.Clear();
        for (int i = 0; i < entries.Length; i++)
        {
            ref RowScratch.Entry entry = ref entries[i];
            ulong number = entry.Key;
            int key = entry.HasTextKey
                ? keys.KeyOf(KeyOf(ref source, entry))
                : keys.KeyOf(MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in number)));
            if (key < lastOfKey.Count)
            {
                entries[lastOfKey[key]].Live = false;
                lastOfKey[key] = i;
            }
            else
            {
                lastOfKey.Add(i);
            }
        }
    }

    public static ReadOnlySpan<byte> KeyOf(ref byte source, in RowScratch.Entry entry) =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref source, entry.KeyAt), entry.KeyLength);
}
